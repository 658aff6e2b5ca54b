import { useEffect, useRef, useState } from 'preact/hooks';
import { useApp } from '../app-state.ts';
import type { ListEntry } from '../list/conversation-list.ts';
import { locale, t } from '../words/words.ts';
import { ChatEntry } from './chat-entry.tsx';
import { DocumentsPanel } from './documents-panel.tsx';
import { IconButton } from './icon-button.tsx';
import { Icon, Mark } from './icons.tsx';
import { isComposing } from './keys.ts';
import { SettingsMenu } from './settings-menu.tsx';

const SEARCH_MS = 200;
const DAY_MS = 86_400_000;

export function Sidebar() {
  const app = useApp();
  const { list, conversation, listOpen, newChat } = app;
  const [query, setQuery] = useState('');
  const [found, setFound] = useState<readonly ListEntry[]>();

  useEffect(() => {
    if (query.trim() === '') return setFound(undefined);
    let stale = false;
    const timer = setTimeout(async () => {
      const results = await list.search(query.trim()).catch(() => []);
      if (!stale) setFound(results);
    }, SEARCH_MS);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [query, list.entries.value]);

  const shown = found ?? list.entries.value;
  const openId = conversation.value.id;
  return (
    <nav class="sidebar" aria-label={t('chats')}>
      <div class="sidebar-head">
        <span class="brand">
          <Mark size={26} />
          <span>{t('appName')}</span>
        </span>
        <IconButton icon="panel" label={t('closeList')} onClick={() => setListOpen(app, false)} />
      </div>
      <button type="button" class="new-chat" onClick={newChat}>
        <Icon name="plus" />
        {t('newChat')}
      </button>
      <label class="search">
        <Icon name="search" size={16} />
        <span class="sr-only">{t('search')}</span>
        <input
          id="search"
          type="search"
          placeholder={t('search')}
          value={query}
          onInput={(event) => setQuery(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (isComposing(event)) return;
            const first = shown[0];
            if (event.key === 'Enter' && first && query.trim() !== '') app.open(first.id);
            if (event.key === 'Escape') setQuery('');
          }}
        />
        <kbd>{/Mac|iPhone|iPad/.test(navigator.platform) ? '⌘K' : 'Ctrl K'}</kbd>
      </label>
      <div class="chat-list">
        {shown.length === 0 && <p class="empty">{t(found ? 'searchNothing' : 'noChats')}</p>}
        {groupsOf(shown).map(([name, entries]) => (
          <section key={name} aria-label={name}>
            <h2>{name}</h2>
            <ul>
              {entries.map((entry) => (
                <ChatEntry key={entry.id} entry={entry} isOpen={entry.id === openId} />
              ))}
            </ul>
          </section>
        ))}
        {!found && list.hasMore.value && (
          <button type="button" class="quiet" onClick={() => void list.loadMore()}>
            {t('earlier')}
          </button>
        )}
      </div>
      <DocumentsPanel />
      <SettingsMenu />
      {listOpen.value && <FocusOnOpen />}
    </nav>
  );
}

export function setListOpen({ listOpen }: ReturnType<typeof useApp>, open: boolean): void {
  listOpen.value = open;
  document.documentElement.classList.toggle('list-hidden', !open);
}

/** On a small screen the list comes over the page, and the focus with it. */
function FocusOnOpen() {
  const done = useRef(false);
  useEffect(() => {
    if (done.current) return;
    done.current = true;
    if (isSmall()) document.querySelector<HTMLElement>('.new-chat')?.focus();
  });
  return null;
}

/** Whether the list comes over the page instead of beside it. */
export function isSmall(): boolean {
  return matchMedia('(max-width: 760px)').matches;
}

function groupsOf(entries: readonly ListEntry[]): [string, ListEntry[]][] {
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  const start = midnight.getTime();
  const names =
    locale.value &&
    ([
      [t('today'), start],
      [t('yesterday'), start - DAY_MS],
      [t('week'), start - 6 * DAY_MS],
      [t('earlier'), Number.NEGATIVE_INFINITY],
    ] as const);
  const groups = new Map<string, ListEntry[]>();
  for (const entry of entries) {
    const name = names.find(([, sinceMs]) => entry.updatedAtMs >= sinceMs)?.[0] ?? t('earlier');
    groups.set(name, [...(groups.get(name) ?? []), entry]);
  }
  return [...groups];
}
