import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { browser } from '../testing/browser-globals.ts';
import { beginSignIn, finishSignIn, refreshAtProvider } from './provider.ts';

const nowMs = Date.UTC(2026, 10, 21);
const settings = { issuer: 'https://id.test/', client_id: 'c1', scope: 'openid' };
const page = {
  href: 'https://chat.test/',
  origin: 'https://chat.test',
  pathname: '/',
  assign: vi.fn<(to: URL) => void>(),
};
const replaceState = vi.fn();
vi.stubGlobal('location', page);
vi.stubGlobal('history', { replaceState });

beforeEach(() => {
  browser.sessionStorage.clear();
  vi.clearAllMocks();
  page.href = 'https://chat.test/';
  vi.useFakeTimers({ toFake: ['Date'], now: nowMs });
});
afterEach(() => void vi.useRealTimers());

const discovery = async () =>
  Response.json({
    authorization_endpoint: 'https://id.test/authorize?x=1',
    token_endpoint: 'https://id.test/token',
  });
async function begin(): Promise<URLSearchParams> {
  await beginSignIn(discovery, settings);
  return new URL(page.assign.mock.calls[0]?.[0] ?? '').searchParams;
}
async function challengeOf(verifier: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
  return btoa(String.fromCharCode(...digest))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
const begun = () => JSON.parse(browser.sessionStorage.getItem('edgewise.sign-in') ?? '');

test('signing in goes to the provider with a challenge whose answer stays here', async () => {
  const ask = vi.fn<typeof fetch>(discovery);
  await beginSignIn(ask, settings);
  expect(ask).toHaveBeenCalledExactlyOnceWith('https://id.test/.well-known/openid-configuration');
  const sent = Object.fromEntries(new URL(page.assign.mock.calls[0]?.[0] ?? '').searchParams);
  const { state, verifier } = begun();
  expect(sent).toEqual({
    x: '1',
    response_type: 'code',
    client_id: 'c1',
    redirect_uri: 'https://chat.test/',
    scope: 'openid',
    state,
    code_challenge: await challengeOf(verifier),
    code_challenge_method: 'S256',
  });
  expect(state).not.toBe(verifier);
});

test('a provider that does not answer is an error, and the page stays', async () => {
  const ask = async () => new Response('', { status: 502 });
  await expect(beginSignIn(ask, settings)).rejects.toThrow('the provider does not answer (502)');
  expect(page.assign).not.toHaveBeenCalled();
});

describe('coming back', () => {
  test('with the right state exchanges the code, once', async () => {
    const sent = await begin();
    const { verifier } = begun();
    page.href = `https://chat.test/?code=abc&state=${sent.get('state')}`;
    const ask = vi.fn<typeof fetch>(async () => Response.json({ access_token: 'a', expires_in: 60 }));
    expect(await finishSignIn(ask)).toEqual({
      kind: 'provider',
      accessToken: 'a',
      expiresAtMs: nowMs + 60_000,
      provider: { tokenEndpoint: 'https://id.test/token', clientId: 'c1' },
    });
    const [url, init] = ask.mock.calls[0] ?? [];
    expect(url).toBe('https://id.test/token');
    expect(Object.fromEntries(init?.body as URLSearchParams)).toEqual({
      grant_type: 'authorization_code',
      code: 'abc',
      redirect_uri: 'https://chat.test/',
      client_id: 'c1',
      code_verifier: verifier,
    });
    expect(replaceState.mock.calls).toEqual([[null, '', '/']]);
    expect(await finishSignIn(ask)).toBeUndefined();
    expect(ask).toHaveBeenCalledOnce();
  });

  test.each([
    ['?code=abc&state=another', 'sign-in failed'],
    ['?code=abc', 'sign-in failed'],
    ['?error=access_denied', 'access_denied'],
    ['?error=access_denied&error_description=You%20said%20no', 'You said no'],
  ])('with %s fails without a call of the provider', async (query, message) => {
    await begin();
    page.href = `https://chat.test/${query}`;
    const ask = vi.fn<typeof fetch>();
    await expect(finishSignIn(ask)).rejects.toThrow(message);
    expect(ask).not.toHaveBeenCalled();
    expect(browser.sessionStorage.getItem('edgewise.sign-in')).toBeNull();
  });

  test.each([
    ['a code that nobody here asked for', false, '?code=abc&state=x'],
    ['a plain visit while signing in', true, ''],
  ])('%s is not a sign-in', async (_name, isBegun, query) => {
    if (isBegun) await begin();
    page.href = `https://chat.test/${query}`;
    expect(await finishSignIn(vi.fn())).toBeUndefined();
    expect(replaceState).not.toHaveBeenCalled();
  });

  test('to a provider that refuses the code is an error', async () => {
    const sent = await begin();
    page.href = `https://chat.test/?code=abc&state=${sent.get('state')}`;
    await expect(finishSignIn(async () => new Response('', { status: 400 }))).rejects.toThrow(
      'the provider refused (400)',
    );
  });
});

test('a renewal without a new refresh token has none', async () => {
  const ask = async () => Response.json({ access_token: 'b' });
  const provider = { tokenEndpoint: 'https://id.test/token', clientId: 'c1' };
  expect(await refreshAtProvider(ask, provider, 'r1')).toEqual({
    kind: 'provider',
    accessToken: 'b',
    provider,
  });
});
