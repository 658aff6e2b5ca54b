import { useEffect } from 'preact/hooks';
import { type App, AppContext, useApp } from '../app-state.ts';
import { t } from '../words/words.ts';
import { Composer, stopNow } from './composer.tsx';
import { IconButton } from './icon-button.tsx';
import { Mark } from './icons.tsx';
import { isComposing } from './keys.ts';
import { MessageList } from './message-list.tsx';
import { ModelMenu } from './model-menu.tsx';
import { NoticesView } from './notices-view.tsx';
import { isSmall, Sidebar, setListOpen } from './sidebar.tsx';
import { Status } from './status.tsx';

export function ChatPage({ app }: { app: App }) {
  useEffect(() => {
    app.start();
    return app.stop;
  }, [app]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isComposing(event)) return;
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        setListOpen(app, true);
        const focus = () => document.getElementById('search')?.focus();
        focus();
        // On a small screen the list has yet to come.
        requestAnimationFrame(focus);
      } else if (event.key === 'Escape' && !event.defaultPrevented) {
        if (app.listOpen.value && isSmall()) setListOpen(app, false);
        else if (app.conversation.value.busy.value) void stopNow(app);
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [app]);
  return (
    <AppContext.Provider value={app}>
      <a class="skip" href="#message" onClick={skip}>
        {t('skip')}
      </a>
      <div class={`page ${app.listOpen.value ? 'list-open' : ''}`}>
        <Sidebar />
        <button
          type="button"
          class="veil"
          tabIndex={-1}
          aria-hidden="true"
          onClick={() => setListOpen(app, false)}
        />
        <main class="chat">
          <Header />
          {app.begun.value ? <MessageList /> : <Welcome />}
          <Composer />
        </main>
      </div>
      <Status />
      <NoticesView />
      <div class="drop-hint" aria-hidden="true">
        {t('dropHere')}
      </div>
    </AppContext.Provider>
  );
}

function Header() {
  const app = useApp();
  const { list, conversation } = app;
  const title = list.entries.value.find(({ id }) => id === conversation.value.id)?.title;
  useEffect(() => {
    document.title = title ? `${title} · ${t('appName')}` : t('appName');
  });
  return (
    <header class="chat-head">
      <IconButton
        icon="panel"
        class="open-list"
        label={t('openList')}
        onClick={() => setListOpen(app, true)}
      />
      <ModelMenu />
      <h1 class={title ? '' : 'sr-only'}>{title || t('untitled')}</h1>
      <IconButton icon="plus" class="head-new" label={t('newChat')} onClick={app.newChat} />
    </header>
  );
}

function Welcome() {
  const { ask } = useApp();
  return (
    <div class="welcome">
      <Mark size={44} />
      <h2>{t('welcome')}</h2>
      <ul>
        {(['try1', 'try2', 'try3', 'try4'] as const).map((key) => (
          <li key={key}>
            <button type="button" onClick={() => ask({ text: t(key) })}>
              {t(key)}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function skip(event: MouseEvent): void {
  event.preventDefault();
  document.getElementById('message')?.focus();
}
