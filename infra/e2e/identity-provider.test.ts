/** Tokens of an identity provider, checked by the running edge with the provider's own keys. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type System, startSystem } from './system.ts';

let provider: Server;
let system: System;
let sign: (kid?: string) => Promise<string>;
let fetches = 0;
let isDown = false;
beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  sign = (kid = 'k1') =>
    new SignJWT({ tenant: 'acme' })
      .setProtectedHeader({ alg: 'RS256', kid })
      .setSubject('ann')
      .setIssuer('https://idp.test')
      .setAudience('chat')
      .setExpirationTime('5m')
      .sign(privateKey);
  provider = createServer((_request, answer) => {
    fetches++;
    if (isDown) answer.writeHead(302, { location: 'http://127.0.0.1:9/' }).end();
    else answer.end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  system = await startSystem({
    env: {
      EDGEWISE_JWT_ALGORITHM: 'RS256',
      EDGEWISE_JWKS_URL: `http://127.0.0.1:${(provider.address() as AddressInfo).port}/jwks`,
      EDGEWISE_JWT_ISSUER: 'https://idp.test',
      EDGEWISE_JWT_AUDIENCE: 'chat',
      EDGEWISE_TOKEN_SECRET: 'a secret for tokens of the edge’s own',
      EDGEWISE_GUESTS: 'on',
    },
  });
});
afterAll(async () => {
  await system.stop();
  provider.close();
});
const get = (token: string) =>
  system.request('/v1/sessions', { headers: { authorization: `Bearer ${token}` } });

test('they let in, with one fetch of the keys, however many come at once', async () => {
  const tokens = await Promise.all(Array.from({ length: 20 }, () => sign()));
  const statuses = (await Promise.all(tokens.map(get))).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(fetches).toBe(1);
});

test('names of keys that are none do not reach the provider again and again', async () => {
  for (let index = 0; index < 20; index++)
    expect((await get(await sign(`made-up-${index}`))).status).toBe(401);
  expect(fetches).toBeLessThanOrEqual(2);
});

test('the keys that are known serve on while the provider is down', async () => {
  isDown = true;
  expect((await get(await sign())).status).toBe(200);
});

test('the edge’s own tokens are no tokens of the provider, and let in beside them', async () => {
  const guest = await fetch(`${system.address}/v1/tokens/guest`, { method: 'POST' });
  const { access_token: token } = (await guest.json()) as { access_token: string };
  expect((await get(token)).status).toBe(200);
  expect((await get(await system.token())).status).toBe(401);
});
