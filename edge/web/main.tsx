/** The chat page's beginning: who is here, and what does this server have. */
import './style/base.css';
import './style/chat.css';
import './style/markdown.css';
import { render } from 'preact';
import { useMemo } from 'preact/hooks';
import { finishSignIn } from './account/provider.ts';
import { createTokenKeeper, subjectOf, type TokenKeeper } from './account/token-keeper.ts';
import { createApp } from './app-state.ts';
import { createNetwork, type Network } from './chat/network.ts';
import { type PageSettings, readPageSettings } from './page-settings.ts';
import { ChatPage } from './view/chat-page.tsx';
import { SignIn } from './view/sign-in.tsx';
import './view/theme.ts';
import { t } from './words/words.ts';

interface RootProps {
  keeper: TokenKeeper;
  network: Network;
  settings: PageSettings;
  failure: string | undefined;
}

function Root({ keeper, network, settings, failure }: RootProps) {
  const account = keeper.account.value;
  const subject = account && subjectOf(account);
  // A renewed token is still the same person.
  const app = useMemo(() => account && createApp({ keeper, account, network, settings }), [subject]);
  if (!app) return <SignIn keeper={keeper} settings={settings} failure={failure} />;
  return <ChatPage key={subject} app={app} />;
}

async function begin(): Promise<void> {
  const root = document.getElementById('root') as HTMLElement;
  const keeper = createTokenKeeper('edgewise.account');
  const network = createNetwork();
  let failure: string | undefined;
  const [settings] = await Promise.all([
    readPageSettings(fetch),
    finishSignIn(fetch)
      .then((account) => (account ? keeper.signIn(account) : keeper.restore()))
      .catch((error: Error) => {
        failure = error.message;
      }),
  ]);
  render(<Root keeper={keeper} network={network} settings={settings} failure={failure} />, root);
}

begin().catch(() => {
  const root = document.getElementById('root') as HTMLElement;
  root.textContent = t('cannotReach');
});
