/**
 * Who is signed in, in this tab: the token, and what renews it. Kept in the session storage, so that it ends with the
 * tab; a tab that is opened beside asks the others for it. Talks to the token endpoints, and to nobody else.
 */
import { type Signal, signal } from '@preact/signals';
import { type Account, type TokenBody, toAccount } from './account.ts';
import { refreshAtProvider } from './provider.ts';

export interface TokenKeeper {
  /** `undefined` while nobody is signed in. */
  readonly account: Signal<Account | undefined>;
  /** Why somebody was signed out without asking. */
  readonly lost: Signal<boolean>;
  /** What was kept by this tab or by another one. */
  restore(): Promise<void>;
  signIn(account: Account): void;
  signOut(): void;
  /** A token that holds for a moment longer. @throws Error when nobody is signed in any more */
  token(): Promise<string>;
  /** The server has refused the token. */
  refused(token: string): void;
}

/** How long another tab may take to answer. */
const ASK_MS = 120;
const RENEW_BEFORE_MS = 60_000;

type Said = { ask: true } | { account: Account | null };

/** @param name Of what is kept: the chat and the operator's page have a person each. */
// long: the methods of one owner share the token; each is short
export function createTokenKeeper(name: string, ask: typeof fetch = fetch.bind(globalThis)): TokenKeeper {
  const account = signal<Account | undefined>(undefined);
  const lost = signal(false);
  const others = new BroadcastChannel(name);
  let renewing: { subject: string; account: Promise<Account> } | undefined;

  function keep(next: Account | undefined): void {
    account.value = next;
    if (next) sessionStorage.setItem(name, JSON.stringify(next));
    else sessionStorage.removeItem(name);
  }

  function tell(said: Said): void {
    others.postMessage(said);
  }

  others.addEventListener('message', ({ data }: MessageEvent<Said>) => {
    if ('ask' in data) {
      if (account.value) tell({ account: account.value });
    } else if (data.account === null) keep(undefined);
    // A renewed token of the same person, or the answer to a tab that has nobody.
    else if (!account.value || subjectOf(data.account) === subjectOf(account.value)) keep(data.account);
  });

  function isSignedIn(subject: string): boolean {
    return account.value !== undefined && subjectOf(account.value) === subject;
  }

  /** One renewal at a time for a person; whoever signs in meanwhile starts a new one. */
  function renewOnce(current: Account): Promise<Account> {
    const subject = subjectOf(current);
    if (renewing?.subject === subject) return renewing.account;
    const mine = { subject, account: renew(current) };
    renewing = mine;
    const clear = () => {
      if (renewing === mine) renewing = undefined;
    };
    mine.account.then(clear, clear);
    return mine.account;
  }

  async function renew(current: Account): Promise<Account> {
    if (current.refreshToken === undefined) throw new Error('the token has expired');
    const next = current.provider
      ? await refreshAtProvider(ask, current.provider, current.refreshToken)
      : toAccount(
          current.kind,
          await postForToken(ask, '/v1/tokens/refresh', { refresh_token: current.refreshToken }),
        );
    if (!isSignedIn(subjectOf(current))) throw new Error('nobody is signed in');
    const kept = { ...current, ...next };
    keep(kept);
    tell({ account: kept });
    return kept;
  }

  function giveUp(): void {
    lost.value = true;
    keep(undefined);
  }

  return {
    account,
    lost,
    async restore() {
      const stored = sessionStorage.getItem(name);
      if (stored !== null) return keep(JSON.parse(stored));
      tell({ ask: true });
      for (let waitedMs = 0; waitedMs < ASK_MS && !account.value; waitedMs += 20) await pause(20);
    },
    signIn(next) {
      lost.value = false;
      keep(next);
      tell({ account: next });
    },
    signOut() {
      keep(undefined);
      tell({ account: null });
    },
    async token() {
      const current = account.value;
      if (!current) throw new Error('nobody is signed in');
      const expiresAtMs = current.expiresAtMs ?? Number.POSITIVE_INFINITY;
      if (expiresAtMs - Date.now() > RENEW_BEFORE_MS) return current.accessToken;
      try {
        return (await renewOnce(current)).accessToken;
      } catch (error) {
        // Signed out, or somebody else by now: the failure is no reason to sign anybody out.
        if (!isSignedIn(subjectOf(current))) throw error;
        // The network may be away for now; a token that still holds is worth a try.
        if (expiresAtMs > Date.now() || error instanceof TypeError) return current.accessToken;
        giveUp();
        throw error;
      }
    },
    refused(token) {
      const current = account.value;
      if (current?.accessToken !== token) return;
      if (current.refreshToken === undefined) return giveUp();
      keep({ ...current, expiresAtMs: 0 });
    },
  };
}

/** @throws Error when nobody is let in */
export async function postForToken(ask: typeof fetch, path: string, body: object): Promise<TokenBody> {
  const response = await ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer?.error?.message ?? `refused (${response.status})`);
  return answer;
}

/** What somebody pastes: a token, or an API key. */
export function accountOfText(text: string): Account {
  const accessToken = text.trim().replace(/^Bearer\s+/i, '');
  const { exp } = claimsOf(accessToken);
  return {
    kind: 'token',
    accessToken,
    ...(typeof exp === 'number' && { expiresAtMs: exp * 1000 }),
  };
}

/** Who it is, for what is kept apart by person. */
export function subjectOf({ accessToken }: Account): string {
  const { sub, tenant } = claimsOf(accessToken);
  return typeof sub === 'string' ? `${String(tenant ?? '')}/${sub}` : `key/${accessToken.slice(0, 12)}`;
}

/** What a JWT says, unchecked: the server checks it. */
export function claimsOf(token: string): Record<string, unknown> {
  try {
    const payload = token.split('.')[1] ?? '';
    const bytes = Uint8Array.from(atob(payload.replace(/-/g, '+').replace(/_/g, '/')), (c) =>
      c.charCodeAt(0),
    );
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return {};
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
