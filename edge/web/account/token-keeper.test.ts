import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { browser } from '../testing/browser-globals.ts';
import { settled } from '../testing/fake-network.ts';
import type { Account } from './account.ts';
import { accountOfText, claimsOf, createTokenKeeper, postForToken, subjectOf } from './token-keeper.ts';

const nowMs = Date.UTC(2026, 10, 21);
const name = 'edgewise.account';

/** Tabs of one browser, whose messages arrive at once. */
class FakeChannel extends EventTarget {
  static all: FakeChannel[] = [];
  readonly name: string;
  constructor(name: string) {
    super();
    this.name = name;
    FakeChannel.all.push(this);
  }
  postMessage(data: unknown): void {
    for (const other of FakeChannel.all)
      if (other !== this && other.name === this.name)
        other.dispatchEvent(new MessageEvent('message', { data: structuredClone(data) }));
  }
}
vi.stubGlobal('BroadcastChannel', FakeChannel);

beforeEach(() => {
  FakeChannel.all = [];
  browser.sessionStorage.clear();
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: nowMs });
});
afterEach(() => void vi.useRealTimers());

function tokenOf(claims: object): string {
  const bytes = new TextEncoder().encode(JSON.stringify(claims));
  const encoded = btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
  return `head.${encoded}.signature`;
}
const ann = tokenOf({ sub: 'ann', tenant: 'acme' });
const annLater = tokenOf({ sub: 'ann', tenant: 'acme', iat: 2 });
const ben = tokenOf({ sub: 'ben', tenant: 'acme' });
const account = (more: Partial<Account> = {}): Account => ({
  kind: 'guest',
  accessToken: ann,
  refreshToken: 'r1',
  expiresAtMs: nowMs + 600_000,
  ...more,
});
const renewed = () => Response.json({ access_token: annLater, refresh_token: 'r2', expires_in: 600 });
function setUp(answer: () => Promise<Response> = async () => renewed()) {
  const ask = vi.fn<typeof fetch>(answer);
  return { ask, keeper: createTokenKeeper(name, ask) };
}

describe('a token', () => {
  test('that holds for more than a minute is used as it is', async () => {
    const { keeper, ask } = setUp();
    keeper.signIn(account({ expiresAtMs: nowMs + 60_001 }));
    expect(await keeper.token()).toBe(ann);
    expect(ask).not.toHaveBeenCalled();
  });

  test('that does not say when it ends is never renewed', async () => {
    const { keeper, ask } = setUp();
    keeper.signIn({ kind: 'token', accessToken: 'ew_key' });
    expect(await keeper.token()).toBe('ew_key');
    expect(ask).not.toHaveBeenCalled();
  });

  test('that ends within a minute is renewed once, for all who ask for it', async () => {
    const { keeper, ask } = setUp();
    keeper.signIn(account({ expiresAtMs: nowMs + 60_000 }));
    expect(await Promise.all([keeper.token(), keeper.token()])).toEqual([annLater, annLater]);
    expect(ask).toHaveBeenCalledExactlyOnceWith('/v1/tokens/refresh', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"refresh_token":"r1"}',
    });
    expect(JSON.parse(browser.sessionStorage.getItem(name) ?? '')).toEqual({
      kind: 'guest',
      accessToken: annLater,
      refreshToken: 'r2',
      expiresAtMs: nowMs + 600_000,
    });
  });

  test('that still holds is used when the renewal fails', async () => {
    const { keeper } = setUp(async () => Response.json({}, { status: 503 }));
    keeper.signIn(account({ expiresAtMs: nowMs + 1000 }));
    expect(await keeper.token()).toBe(ann);
    expect(keeper.account.value).toBeDefined();
  });

  test('that has ended is kept while the network is away', async () => {
    const { keeper } = setUp(async () => {
      throw new TypeError('fetch failed');
    });
    keeper.signIn(account({ expiresAtMs: nowMs - 1000 }));
    expect(await keeper.token()).toBe(ann);
    expect([keeper.account.value?.refreshToken, keeper.lost.value]).toEqual(['r1', false]);
  });

  test('that has ended and is refused its renewal signs its person out, and says that it did', async () => {
    const { keeper } = setUp(async () => Response.json({ error: { message: 'Used.' } }, { status: 400 }));
    keeper.signIn(account({ expiresAtMs: nowMs - 1000 }));
    await expect(keeper.token()).rejects.toThrow('Used.');
    expect([keeper.account.value, keeper.lost.value]).toEqual([undefined, true]);
    expect(browser.sessionStorage.getItem(name)).toBeNull();
    await expect(keeper.token()).rejects.toThrow('nobody is signed in');
    keeper.signIn(account());
    expect(keeper.lost.value).toBe(false);
  });

  test('of a provider is renewed there', async () => {
    const { keeper, ask } = setUp();
    const provider = { tokenEndpoint: 'https://id.test/token', clientId: 'c1' };
    keeper.signIn(account({ kind: 'provider', provider, expiresAtMs: nowMs }));
    expect(await keeper.token()).toBe(annLater);
    const [url, init] = ask.mock.calls[0] ?? [];
    expect([url, String(init?.body)]).toEqual([
      'https://id.test/token',
      'grant_type=refresh_token&refresh_token=r1&client_id=c1',
    ]);
    expect(keeper.account.value).toMatchObject({ kind: 'provider', provider, refreshToken: 'r2' });
  });
});

describe('a token that the server refuses', () => {
  test('is renewed with the next request', async () => {
    const { keeper } = setUp();
    keeper.signIn(account());
    keeper.refused(ann);
    expect(await keeper.token()).toBe(annLater);
  });

  test('signs out who has nothing to renew it with', () => {
    const { keeper } = setUp();
    keeper.signIn({ kind: 'token', accessToken: ann });
    keeper.refused(ann);
    expect([keeper.account.value, keeper.lost.value]).toEqual([undefined, true]);
  });

  test('and is no longer in use changes nothing', () => {
    const { keeper } = setUp();
    keeper.signIn({ kind: 'token', accessToken: annLater });
    keeper.refused(ann);
    expect(keeper.account.value?.accessToken).toBe(annLater);
  });
});

describe('a renewal that is still under way', () => {
  function slowRenewal() {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const { keeper } = setUp(() => promise);
    keeper.signIn(account({ expiresAtMs: nowMs }));
    const token = keeper.token().catch((error: Error) => error.message);
    return { keeper, token, resolve, reject };
  }

  test('does not sign in again who has signed out meanwhile', async () => {
    const { keeper, token, resolve } = slowRenewal();
    keeper.signOut();
    resolve(renewed());
    expect(await token).toBe('nobody is signed in');
    expect(keeper.account.value).toBeUndefined();
    expect(browser.sessionStorage.getItem(name)).toBeNull();
  });

  test('does not take the place of another person', async () => {
    const { keeper, token, resolve } = slowRenewal();
    keeper.signIn(account({ accessToken: ben }));
    resolve(renewed());
    await token;
    expect(keeper.account.value?.accessToken).toBe(ben);
  });

  test('that fails does not sign out another person', async () => {
    const { keeper, token, resolve } = slowRenewal();
    keeper.signIn(account({ accessToken: ben }));
    resolve(Response.json({}, { status: 400 }));
    await token;
    expect([keeper.account.value?.accessToken, keeper.lost.value]).toEqual([ben, false]);
  });
});

describe('tabs beside each other', () => {
  test('one that is opened finds who is signed in in another', async () => {
    setUp().keeper.signIn(account());
    browser.sessionStorage.clear();
    const { keeper } = setUp();
    await keeper.restore();
    expect(keeper.account.value).toEqual(account());
  });

  test('one that is alone waits no longer than 120 ms', async () => {
    const { keeper } = setUp();
    let isDone = false;
    void keeper.restore().then(() => {
      isDone = true;
    });
    await vi.advanceTimersByTimeAsync(100);
    expect(isDone).toBe(false);
    await vi.advanceTimersByTimeAsync(20);
    expect([isDone, keeper.account.value]).toEqual([true, undefined]);
  });

  test('one that is reloaded finds its own', async () => {
    setUp().keeper.signIn(account());
    FakeChannel.all = [];
    const { keeper } = setUp();
    await keeper.restore();
    expect(keeper.account.value).toEqual(account());
  });

  test('share a renewed token, and a sign-out', async () => {
    const [one, other] = [setUp().keeper, setUp().keeper];
    one.signIn(account({ expiresAtMs: nowMs }));
    await one.token();
    expect(other.account.value?.accessToken).toBe(annLater);
    other.signOut();
    expect(one.account.value).toBeUndefined();
  });

  test('of two persons leave each other alone', async () => {
    const [one, other] = [setUp().keeper, setUp().keeper];
    one.signIn(account());
    other.signIn(account({ accessToken: ben }));
    await settled();
    expect([one.account.value?.accessToken, other.account.value?.accessToken]).toEqual([ann, ben]);
  });
});

test('what somebody pastes is a token with its end, or a key without', () => {
  const token = tokenOf({ sub: 'ann', exp: 100 });
  expect(accountOfText(` Bearer ${token}\n`)).toEqual({
    kind: 'token',
    accessToken: token,
    expiresAtMs: 100_000,
  });
  expect(accountOfText('ew_abc')).toEqual({ kind: 'token', accessToken: 'ew_abc' });
});

test('a person is told apart by tenant and name, and a key by its beginning', () => {
  expect(subjectOf(account())).toBe('acme/ann');
  expect(subjectOf(account({ accessToken: tokenOf({ sub: 'ann' }) }))).toBe('/ann');
  expect(subjectOf(account({ accessToken: 'ew_0123456789abcdef' }))).toBe('key/ew_012345678');
});

test.each([
  ['letters beyond ASCII', tokenOf({ sub: 'Zoë王' }), { sub: 'Zoë王' }],
  ['no token', 'x', {}],
  ['no JSON', 'a.b.c', {}],
])('the claims of %s are read without a failure', (_name, token, claims) => {
  expect(claimsOf(token)).toEqual(claims);
});

test('a token endpoint that refuses says why', async () => {
  const refusing = (body: object) => async () => Response.json(body, { status: 403 });
  await expect(postForToken(refusing({ error: { message: 'No guests.' } }), '/x', {})).rejects.toThrow(
    'No guests.',
  );
  await expect(postForToken(refusing({}), '/x', {})).rejects.toThrow('refused (403)');
});
