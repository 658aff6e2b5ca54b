/** Signing in at an OpenID Connect provider: the authorization code flow with PKCE (RFC 7636), as a public client. */
import { type Account, type TokenBody, toAccount } from './account.ts';

export interface SignInSettings {
  issuer: string;
  client_id: string;
  scope: string;
}

interface Endpoints {
  authorization_endpoint: string;
  token_endpoint: string;
}

interface Begun {
  state: string;
  verifier: string;
  tokenEndpoint: string;
  clientId: string;
}

const KEY = 'edgewise.sign-in';

/** Goes to the provider; the page is left. */
export async function beginSignIn(ask: typeof fetch, settings: SignInSettings): Promise<void> {
  const issuer = settings.issuer.replace(/\/+$/, '');
  const response = await ask(`${issuer}/.well-known/openid-configuration`);
  if (!response.ok) throw new Error(`the provider does not answer (${response.status})`);
  const endpoints = (await response.json()) as Endpoints;
  const begun: Begun = {
    state: randomText(),
    verifier: randomText(),
    tokenEndpoint: endpoints.token_endpoint,
    clientId: settings.client_id,
  };
  sessionStorage.setItem(KEY, JSON.stringify(begun));
  const address = new URL(endpoints.authorization_endpoint);
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(begun.verifier));
  for (const [name, value] of Object.entries({
    response_type: 'code',
    client_id: settings.client_id,
    redirect_uri: redirectUri(),
    scope: settings.scope,
    state: begun.state,
    code_challenge: toBase64Url(new Uint8Array(digest)),
    code_challenge_method: 'S256',
  }))
    address.searchParams.set(name, value);
  location.assign(address);
}

/** Takes what the provider came back with out of the address. @returns `undefined` when it did not come from there */
export async function finishSignIn(ask: typeof fetch): Promise<Account | undefined> {
  const { searchParams } = new URL(location.href);
  const stored = sessionStorage.getItem(KEY);
  if (stored === null || !(searchParams.has('code') || searchParams.has('error'))) return undefined;
  sessionStorage.removeItem(KEY);
  history.replaceState(null, '', location.pathname);
  const begun: Begun = JSON.parse(stored);
  const code = searchParams.get('code');
  if (code === null || searchParams.get('state') !== begun.state) {
    throw new Error(searchParams.get('error_description') ?? searchParams.get('error') ?? 'sign-in failed');
  }
  const fields = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri(),
    client_id: begun.clientId,
    code_verifier: begun.verifier,
  };
  return exchange(ask, begun, fields);
}

export function refreshAtProvider(
  ask: typeof fetch,
  provider: { tokenEndpoint: string; clientId: string },
  refreshToken: string,
): Promise<Account> {
  const fields = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: provider.clientId };
  return exchange(ask, provider, fields);
}

async function exchange(
  ask: typeof fetch,
  provider: { tokenEndpoint: string; clientId: string },
  fields: Record<string, string>,
): Promise<Account> {
  const response = await ask(provider.tokenEndpoint, { method: 'POST', body: new URLSearchParams(fields) });
  if (!response.ok) throw new Error(`the provider refused (${response.status})`);
  const body = (await response.json()) as TokenBody;
  const { tokenEndpoint, clientId } = provider;
  return { ...toAccount('provider', body), provider: { tokenEndpoint, clientId } };
}

function redirectUri(): string {
  return `${location.origin}${location.pathname}`;
}

function randomText(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
}

function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '');
}
