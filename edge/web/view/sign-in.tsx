import { useState } from 'preact/hooks';
import { toAccount } from '../account/account.ts';
import { beginSignIn } from '../account/provider.ts';
import { accountOfText, postForToken, type TokenKeeper } from '../account/token-keeper.ts';
import { messageOf } from '../message-of.ts';
import type { PageSettings } from '../page-settings.ts';
import { t } from '../words/words.ts';
import { Mark } from './icons.tsx';
import { LanguageMenu } from './language-menu.tsx';

export interface SignInProps {
  keeper: TokenKeeper;
  settings: PageSettings;
  /** Why the last try failed. */
  failure: string | undefined;
}

// long: one dialog, most lines are markup
export function SignIn({ keeper, settings, failure }: SignInProps) {
  const [error, setError] = useState(failure);
  const [busy, setBusy] = useState(false);
  const [text, setText] = useState('');
  const [asksToken, setAsksToken] = useState(!settings.guests && !settings.sign_in);

  async function attempt(work: () => Promise<void>): Promise<void> {
    setBusy(true);
    setError(undefined);
    try {
      await work();
    } catch (cause) {
      setError(messageOf(cause));
    } finally {
      setBusy(false);
    }
  }
  const asGuest = () =>
    attempt(async () => keeper.signIn(toAccount('guest', await postForToken(fetch, '/v1/tokens/guest', {}))));
  const withToken = () =>
    attempt(async () => {
      const account = accountOfText(text);
      const response = await fetch('/v1/models', {
        headers: { authorization: `Bearer ${account.accessToken}` },
      });
      if (!response.ok) throw new Error((await response.json())?.error?.message);
      keeper.signIn(account);
    });

  return (
    <main class="sign-in">
      <div class="sign-in-card">
        <Mark size={48} />
        <h1>{t('appName')}</h1>
        <p class="lead">{t('signInLead')}</p>
        {keeper.lost.value && <p class="hint">{t('signInLost')}</p>}
        {settings.guests && (
          <button type="button" class="primary" disabled={busy} onClick={() => void asGuest()}>
            {t('signInGuest')}
          </button>
        )}
        {settings.sign_in && (
          <button
            type="button"
            class={settings.guests ? 'secondary' : 'primary'}
            disabled={busy}
            onClick={() =>
              void attempt(() => beginSignIn(fetch, settings.sign_in as NonNullable<PageSettings['sign_in']>))
            }
          >
            {t('signInProvider')}
          </button>
        )}
        {asksToken ? (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              void withToken();
            }}
          >
            <label for="token">{t('signInTokenLabel')}</label>
            <input
              id="token"
              type="password"
              autocomplete="off"
              spellcheck={false}
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
            <button type="submit" class="secondary" disabled={busy || text.trim() === ''}>
              {t('signIn')}
            </button>
          </form>
        ) : (
          <button type="button" class="quiet" onClick={() => setAsksToken(true)}>
            {t('signInToken')}
          </button>
        )}
        {error && (
          <p class="failure" role="alert">
            {t('signInFailed', { reason: error })}
          </p>
        )}
      </div>
      <LanguageMenu />
    </main>
  );
}
