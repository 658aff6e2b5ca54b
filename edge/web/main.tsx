/** The chat page's beginning: who is here, and what does this server have. */
import './style/base.css';
import './style/chat.css';
import './style/markdown.css';
import { render } from 'preact';
import { useMemo } from 'preact/hooks';
import { type Entrance, enterPage } from './account/enter.ts';
import { subjectOf } from './account/token-keeper.ts';
import { createApp } from './app-state.ts';
import { createNetwork, type Network } from './chat/network.ts';
import { ChatPage } from './view/chat-page.tsx';
import { SignIn } from './view/sign-in.tsx';
import './view/theme.ts';
import { t } from './words/words.ts';

function Root({ keeper, network, settings, failure }: Entrance & { network: Network }) {
  const account = keeper.account.value;
  const subject = account && subjectOf(account);
  // A renewed token is still the same person.
  const app = useMemo(() => account && createApp({ keeper, account, network, settings }), [subject]);
  if (!app) return <SignIn keeper={keeper} settings={settings} failure={failure} />;
  return <ChatPage key={subject} app={app} />;
}

async function begin(): Promise<void> {
  const root = document.getElementById('root') as HTMLElement;
  const network = createNetwork();
  const entrance = await enterPage('edgewise.account');
  render(<Root {...entrance} network={network} />, root);
}

begin().catch(() => {
  const root = document.getElementById('root') as HTMLElement;
  root.textContent = t('cannotReach');
});
