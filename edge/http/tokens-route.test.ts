import { decodeJwt } from 'jose';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AppError, type OpenAIErrorBody } from '../../shared/errors.ts';
import { sha256Hex } from '../../shared/hash.ts';
import type { ApiKey } from '../../shared/protocol/key-protocol.ts';
import { createOwnTokens, type OwnTokens } from '../auth/own-tokens.ts';
import { type EdgeCaller, edgeUnderTest } from './testing/edge-under-test.ts';
import { type TokensRouteOptions, tokensRoute } from './tokens-route.ts';

// The verifier uses the real time.
const nowMs = Date.now();
const ownTokens: OwnTokens = createOwnTokens(new Uint8Array(32).fill(7), 'edgewise', () => nowMs);
const findById = vi.fn<TokensRouteOptions['keys']['findById']>(
  async (_requestId, id) => ({ id, plan: 'team' }) as ApiKey,
);
const admitGuest = vi.fn<TokensRouteOptions['limiter']['admitGuest']>(async () => undefined);
const holder: EdgeCaller = {
  isKey: true,
  as: { tenant: 'acme', user: 'key_1', plan: 'pro', scopes: ['batch', 'admin'], keyId: 'key_1' },
};
function edge(options: Partial<TokensRouteOptions> = {}, caller: EdgeCaller = holder) {
  const all = {
    ownTokens,
    keys: { findById },
    limiter: { admitGuest },
    guests: true,
    now: () => nowMs,
    newId: () => 'n1',
    ...options,
  };
  return edgeUnderTest((app) => {
    const { exchange, refresh, guest } = tokensRoute(all);
    app.post('/v1/tokens', exchange).post('/v1/tokens/refresh', refresh).post('/v1/tokens/guest', guest);
  }, caller);
}
beforeEach(() => void vi.clearAllMocks());
interface Tokens {
  access_token: string;
  expires_in: number;
  refresh_token: string;
}
const errorOf = async (response: Response) => {
  const { error } = await response.json<OpenAIErrorBody>();
  return [response.status, error.code, error.param];
};

describe('POST /v1/tokens', () => {
  test('returns a token for one user, within the scopes of the key', async () => {
    const body = { user: 'ann', scopes: ['batch'], session_id: 's1', ttl_seconds: 60 };
    const response = await edge()('POST', '/v1/tokens', body);
    const { access_token: token, refresh_token: refresh, ...rest } = await response.json<Tokens>();
    expect(rest).toEqual({ token_type: 'Bearer', expires_in: 60 });
    expect(decodeJwt(token)).toMatchObject({
      sub: 'ann',
      tenant: 'acme',
      plan: 'pro',
      scope: 'batch',
      session: 's1',
      key: 'key_1',
    });
    const { grant, untilMs } = await ownTokens.readRefresh(refresh);
    expect(grant).toEqual({
      tenant: 'acme',
      user: 'ann',
      plan: 'pro',
      scopes: ['batch'],
      session: 's1',
      keyId: 'key_1',
    });
    expect(Math.abs(untilMs - nowMs - 30 * 86_400_000)).toBeLessThan(1000);
  });

  test('the token is valid for a quarter of an hour, without scopes and refresh token by default', async () => {
    const response = await edge()('POST', '/v1/tokens', { user: 'ann', refresh: false });
    const body = await response.json<Tokens>();
    expect([body.expires_in, body.refresh_token, decodeJwt(body.access_token).scope]).toEqual([
      900,
      undefined,
      '',
    ]);
  });

  test.each<[string, object, [number, string, string]]>([
    ['no user', {}, [400, 'missing_required_parameter', 'user']],
    ['an empty user', { user: '' }, [400, 'invalid_value', 'user']],
    ['a user that is too long', { user: 'x'.repeat(257) }, [400, 'invalid_value', 'user']],
    ['an invalid scope', { user: 'a', scopes: ['a b'] }, [400, 'invalid_value', 'scopes[0]']],
    [
      'a scope that the key does not have',
      { user: 'a', scopes: ['batch', 'owner'] },
      [403, 'insufficient_scope', 'scopes'],
    ],
    ['a lifetime that is too short', { user: 'a', ttl_seconds: 59 }, [400, 'invalid_value', 'ttl_seconds']],
    ['a lifetime that is too long', { user: 'a', ttl_seconds: 3601 }, [400, 'invalid_value', 'ttl_seconds']],
    ['an invalid session id', { user: 'a', session_id: 'a/b' }, [400, 'invalid_value', 'session_id']],
  ])('with %s is refused', async (_name, body, error) => {
    expect(await errorOf(await edge()('POST', '/v1/tokens', body))).toEqual(error);
  });

  test('with a token instead of a key is refused, even when a key issued it', async () => {
    const send = edge({}, { ...holder, isKey: false });
    expect(await errorOf(await send('POST', '/v1/tokens', { user: 'ann' }))).toEqual([
      403,
      'insufficient_scope',
      null,
    ]);
  });

  test('without a secret for signatures is refused', async () => {
    const send = edge({ ownTokens: undefined });
    expect((await errorOf(await send('POST', '/v1/tokens', { user: 'ann' })))[1]).toBe('unsupported_value');
  });
});

describe('POST /v1/tokens/refresh', () => {
  const grant = {
    tenant: 'acme',
    user: 'ann',
    plan: 'pro',
    scopes: ['batch'],
    session: 's1',
    keyId: 'key_1',
  };
  const refreshTokenOf = async (more: object = {}) =>
    (await ownTokens.issue({ ...grant, ...more }, 60, nowMs + 600_000)).refreshToken;
  const refresh = async (token: string | undefined, options?: Partial<TokensRouteOptions>) =>
    edge(options)('POST', '/v1/tokens/refresh', { refresh_token: token });

  test('returns a new token with the key’s current plan, and does not extend the refresh token', async () => {
    const body = await (await refresh(await refreshTokenOf())).json<Tokens>();
    expect(decodeJwt(body.access_token)).toMatchObject({
      sub: 'ann',
      plan: 'team',
      scope: 'batch',
      session: 's1',
    });
    const { untilMs } = await ownTokens.readRefresh(body.refresh_token);
    expect(Math.abs(untilMs - nowMs - 600_000)).toBeLessThan(1000);
    expect(findById).toHaveBeenCalledExactlyOnceWith('req-1', 'key_1');
  });

  test('is refused after the key is revoked', async () => {
    findById.mockResolvedValueOnce(undefined);
    expect((await errorOf(await refresh(await refreshTokenOf()))).slice(0, 2)).toEqual([
      401,
      'invalid_token',
    ]);
  });

  test('is refused with an access token or any other text', async () => {
    const { accessToken } = await ownTokens.issue(grant, 60, nowMs + 600_000);
    for (const token of [accessToken, 'x', ''])
      expect((await errorOf(await refresh(token))).slice(0, 2)).toEqual([401, 'invalid_token']);
    expect(await errorOf(await refresh(undefined))).toEqual([
      400,
      'missing_required_parameter',
      'refresh_token',
    ]);
  });

  test('renews a guest for an hour, while guests are allowed', async () => {
    const token = await refreshTokenOf({ plan: 'guest', keyId: undefined });
    expect(await (await refresh(token)).json()).toMatchObject({ expires_in: 3600 });
    expect((await errorOf(await refresh(token, { guests: false }))).slice(0, 2)).toEqual([
      401,
      'invalid_token',
    ]);
  });
});

describe('POST /v1/tokens/guest', () => {
  test('returns a token for a new user without scopes', async () => {
    const body = await (await edge()('POST', '/v1/tokens/guest')).json<Tokens>();
    expect(body.expires_in).toBe(3600);
    expect(decodeJwt(body.access_token)).toMatchObject({
      sub: 'guest-n1',
      tenant: 'default',
      plan: 'guest',
      scope: '',
    });
  });

  test.each<[string, Record<string, string>, boolean]>([
    ['Cloudflare', { 'cf-connecting-ip': '203.0.113.7', 'x-forwarded-for': '198.51.100.1' }, true],
    ['the proxy before the edge', { 'x-forwarded-for': '198.51.100.1, 203.0.113.7' }, true],
    ['nobody', {}, false],
  ])('counts the address that %s reports, as a hash', async (_name, headers, isKnown) => {
    await edge()('POST', '/v1/tokens/guest', undefined, headers);
    const [[tenant, address] = []] = admitGuest.mock.calls;
    expect(tenant).toBe('default');
    expect(address).toBe(isKnown ? (await sha256Hex('203.0.113.7')).slice(0, 32) : undefined);
  });

  test('is refused when its address has had too many', async () => {
    admitGuest.mockRejectedValueOnce(new AppError('rate_limit_exceeded'));
    expect((await edge()('POST', '/v1/tokens/guest')).status).toBe(429);
  });

  test('is refused when guests are not allowed', async () => {
    expect((await errorOf(await edge({ guests: false })('POST', '/v1/tokens/guest'))).slice(0, 2)).toEqual([
      403,
      'insufficient_scope',
    ]);
  });
});
