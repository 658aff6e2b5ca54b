import { type PageSettings, readPageSettings } from '../page-settings.ts';
import { finishSignIn } from './provider.ts';
import { createTokenKeeper, type TokenKeeper } from './token-keeper.ts';

/** Who is here, and what this server has: a page's beginning. */
export interface Entrance {
  keeper: TokenKeeper;
  settings: PageSettings;
  /** Why signing in at a provider failed. */
  failure: string | undefined;
}

/** @param name Of what is kept of the person. @throws Error when the server does not answer */
export async function enterPage(name: string): Promise<Entrance> {
  const keeper = createTokenKeeper(name);
  let failure: string | undefined;
  const [settings] = await Promise.all([
    readPageSettings(fetch),
    finishSignIn(fetch)
      .then((account) => (account ? keeper.signIn(account) : keeper.restore()))
      .catch((error: Error) => {
        failure = error.message;
      }),
  ]);
  return { keeper, settings, failure };
}
