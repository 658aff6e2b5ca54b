import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { reasonOf, useApp } from '../app-state.ts';
import type { ListEntry } from '../list/conversation-list.ts';
import { exportChat } from '../list/export-chat.ts';
import { t } from '../words/words.ts';
import { Icon } from './icons.tsx';
import { isComposing, isDone } from './keys.ts';
import { Menu } from './menu.tsx';
import { notify } from './notices.ts';

export function ChatEntry({ entry, isOpen }: { entry: ListEntry; isOpen: boolean }) {
  const app = useApp();
  const [renaming, setRenaming] = useState(false);
  const title = entry.title || t('untitled');
  const save = (text: string) => {
    setRenaming(false);
    if (text !== '' && text !== entry.title)
      void app.list.rename(entry.id, text).catch((error) => notify(reasonOf(error)));
  };
  const write = (form: 'markdown' | 'json') =>
    void exportChat(app.api, entry.id, title, form).catch((error) => notify(reasonOf(error)));
  if (renaming) {
    return (
      <li>
        <TitleEditor title={title} onSave={save} onCancel={() => setRenaming(false)} />
      </li>
    );
  }
  return (
    <li class={isOpen ? 'open' : ''}>
      <a href={`#/c/${entry.id}`} aria-current={isOpen ? 'page' : undefined} title={title}>
        {title}
      </a>
      <Menu
        label={t('more', { title })}
        align="end"
        items={[
          { label: t('rename'), run: () => setRenaming(true) },
          { label: t('exportMarkdown'), run: () => write('markdown') },
          { label: t('exportJson'), run: () => write('json') },
          { label: t('delete'), danger: true, run: () => app.remove(entry.id) },
        ]}
      >
        <Icon name="dots" size={16} />
      </Menu>
    </li>
  );
}

interface TitleEditorProps {
  title: string;
  onSave: (title: string) => void;
  onCancel: () => void;
}

function TitleEditor({ title, onSave, onCancel }: TitleEditorProps) {
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => input.current?.select(), []);
  const text = () => input.current?.value.trim() ?? '';
  const isOver = useRef(false);
  // Taken out of the page it loses the focus, which is no second wish.
  const once = (finish: () => void) => {
    if (!isOver.current) finish();
    isOver.current = true;
  };
  return (
    <input
      class="title-editor"
      ref={input}
      aria-label={t('renameTitle')}
      defaultValue={title}
      maxLength={200}
      onKeyDown={(event) => {
        if (isDone(event)) once(() => onSave(text()));
        else if (event.key === 'Escape' && !isComposing(event)) once(onCancel);
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
      onBlur={() => once(() => onSave(text()))}
    />
  );
}
