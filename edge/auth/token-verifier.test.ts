import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createKeySet } from './key-set.ts';
import { createOwnTokens } from './own-tokens.ts';
import { createTokenVerifier } from './token-verifier.ts';

const secret = new TextEncoder().encode('a secret of at least thirty-two bytes');
const config = { algorithm: 'HS256', issuer: 'i', audience: 'a', secret } as const;
const ownSecret = new TextEncoder().encode('another secret, for tokens of our own');
const verify = createTokenVerifier({ jwt: config, findKey: undefined, ownSecret });
const own = createOwnTokens(ownSecret, 'a', Date.now);

const sign = (
  claims: JWTPayload = {},
  alg = 'HS256',
  key: Uint8Array | CryptoKey = secret,
  header: object = {},
) =>
  new SignJWT({ sub: 'alice', iss: 'i', aud: 'a', exp: Math.floor(Date.now() / 1000) + 60, ...claims })
    .setProtectedHeader({ alg, ...header })
    .sign(key);

test('takes tenant, user, plan and scopes from the claims', async () => {
  const token = await sign({ tenant: 'acme', plan: 'pro', scope: 'admin chat' });
  expect(await verify(token)).toEqual({
    tenant: 'acme',
    user: 'alice',
    plan: 'pro',
    scopes: ['admin', 'chat'],
    expiresAtMs: expect.any(Number),
  });
  expect(await verify(await sign())).toEqual({
    tenant: 'default',
    user: 'alice',
    plan: 'free',
    scopes: [],
    expiresAtMs: expect.any(Number),
  });
});

describe('refuses', () => {
  const now = Math.floor(Date.now() / 1000);
  test.each<[string, () => Promise<string | undefined> | string | undefined, string]>([
    ['no token', () => undefined, 'missing_token'],
    ['garbage', () => 'abc', 'invalid_token'],
    ['an expired token', () => sign({ exp: now - 60 }), 'token_expired'],
    ['a token that is not valid yet', () => sign({ nbf: now + 600 }), 'invalid_token'],
    ['a token without an end', () => sign({ exp: undefined as unknown as number }), 'invalid_token'],
    ['a token without a user', () => sign({ sub: undefined as unknown as string }), 'invalid_token'],
    ['an empty user', () => sign({ sub: '' }), 'invalid_token'],
    ['a tenant that is no text', () => sign({ tenant: 5 }), 'invalid_token'],
    ['another issuer', () => sign({ iss: 'x' }), 'invalid_token'],
    ['another audience', () => sign({ aud: 'x' }), 'invalid_token'],
    [
      'another secret',
      () => sign({}, 'HS256', new TextEncoder().encode('another secret of thirty-two bytes!')),
      'invalid_token',
    ],
    [
      'another algorithm of the same family',
      () => sign({}, 'HS512', new TextEncoder().encode('x'.repeat(64))),
      'invalid_token',
    ],
    [
      'alg none',
      () => new UnsecuredJWT({ sub: 'alice', iss: 'i', aud: 'a', exp: now + 60 }).encode(),
      'invalid_token',
    ],
  ])('%s', async (_name, token, code) => {
    await expect(verify(await token())).rejects.toMatchObject({ code });
  });

  test('with 30 seconds of grace for clocks that differ', async () => {
    expect((await verify(await sign({ exp: now - 10 }))).user).toBe('alice');
  });
});

describe('tokens of our own', () => {
  const grant = { tenant: 'acme', user: 'zoe', plan: 'pro', scopes: ['chat'], session: 's1', keyId: 'key_1' };

  test('let in whom they were issued for, bound to a session and a key', async () => {
    const { accessToken } = await own.issue(grant, 60);
    expect(await verify(accessToken)).toEqual({ ...grant, expiresAtMs: expect.any(Number) });
  });

  test('that only renew let nobody in, and those that let in renew nothing', async () => {
    const { accessToken, refreshToken = '' } = await own.issue(grant, 60, Date.now() + 60_000);
    await expect(verify(refreshToken)).rejects.toMatchObject({ code: 'invalid_token' });
    await expect(own.readRefresh(accessToken)).rejects.toMatchObject({ code: 'invalid_token' });
    expect((await own.readRefresh(refreshToken)).grant).toEqual(grant);
  });

  test('cannot be made with the secret of others, nor the others with ours', async () => {
    const { iss } = { iss: 'https://edgewise.invalid/tokens' };
    await expect(verify(await sign({ iss }))).rejects.toMatchObject({ code: 'invalid_token' });
    await expect(verify(await sign({}, 'HS256', ownSecret))).rejects.toMatchObject({ code: 'invalid_token' });
  });

  test.each(['id_token+jwt', 'secevent+jwt', 'dpop+jwt'])(
    'of type %s are for something else',
    async (typ) => {
      await expect(verify(await sign({}, 'HS256', secret, { typ }))).rejects.toMatchObject({
        code: 'invalid_token',
      });
      expect((await verify(await sign({}, 'HS256', secret, { typ: 'at+JWT' }))).user).toBe('alice');
    },
  );
});

const keySetAt = (url: URL) =>
  createKeySet({
    url,
    fetch,
    now: Date.now,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });

describe('keys of an identity provider', () => {
  let server: Server;
  let keys: object[] = [];
  let url: URL;
  beforeAll(async () => {
    server = createServer((_request, answer) => answer.end(JSON.stringify({ keys })));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`);
  });
  afterAll(() => void server.close());

  test.each(['RS256', 'ES256', 'EdDSA'] as const)('%s', async (algorithm) => {
    const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
    keys = [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: algorithm }];
    const jwt = { algorithm, issuer: 'i', audience: 'a', jwksUrl: url };
    const verifyRemote = createTokenVerifier({ jwt, findKey: keySetAt(url), ownSecret });
    expect((await verifyRemote(await sign({}, algorithm, privateKey, { kid: 'k1' }))).user).toBe('alice');
    await expect(verifyRemote(await sign({}, algorithm, privateKey, { kid: '../k1' }))).rejects.toMatchObject(
      { code: 'invalid_token' },
    );
    // The public key must not become an HMAC secret (RFC 8725, section 2.1).
    await expect(verifyRemote(await sign({}, 'HS256', secret, { kid: 'k1' }))).rejects.toMatchObject({
      code: 'invalid_token',
    });
  });

  test('that cannot be had are our trouble, not the caller’s', async () => {
    const jwksUrl = new URL('http://127.0.0.1:9/');
    const jwt = { algorithm: 'RS256', issuer: 'i', audience: 'a', jwksUrl } as const;
    const unreachable = createTokenVerifier({ jwt, findKey: keySetAt(jwksUrl), ownSecret: undefined });
    const { privateKey } = await generateKeyPair('RS256');
    await expect(unreachable(await sign({}, 'RS256', privateKey, { kid: 'k' }))).rejects.toMatchObject({
      code: 'keys_unavailable',
    });
  });
});
