import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createKeySet } from './key-set.ts';

let nowMs: number;
let fetches: number;
let keys: object[];
let isDown: boolean;
beforeEach(() => {
  nowMs = 1e12;
  fetches = 0;
  keys = [];
  isDown = false;
});
afterEach(() => vi.unstubAllGlobals());

const open = () =>
  createKeySet({
    url: new URL('https://idp.test/jwks'),
    fetch: async () => {
      fetches++;
      await new Promise((resolve) => setTimeout(resolve, 10));
      if (isDown) throw new TypeError('fetch failed');
      return Response.json({ keys });
    },
    now: () => nowMs,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });

async function newKey(kid: string) {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const sign = (named = kid) =>
    new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid: named }).sign(privateKey);
  return { jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' }, sign };
}

test('many requests at once fetch one set, and it is kept', async () => {
  const key = await newKey('k1');
  keys = [key.jwk];
  const find = open();
  const token = await key.sign();
  await Promise.all(Array.from({ length: 50 }, () => jwtVerify(token, find)));
  await jwtVerify(token, find);
  expect(fetches).toBe(1);
});

test('a key that is new is found, one fetch in 30 seconds whatever names are thrown at it', async () => {
  const [first, second] = await Promise.all([newKey('k1'), newKey('k2')]);
  keys = [first.jwk];
  const find = open();
  await jwtVerify(await first.sign(), find);
  nowMs += 30_000;
  keys = [first.jwk, second.jwk];
  await jwtVerify(await second.sign(), find);
  expect(fetches).toBe(2);
  for (let index = 0; index < 100; index++) {
    const token = await first.sign(`made-up-${index}`);
    await expect(jwtVerify(token, find)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    nowMs += 200;
  }
  expect(fetches).toBe(2);
});

test('the last good set serves while the provider is down', async () => {
  const key = await newKey('k1');
  keys = [key.jwk];
  const find = open();
  await jwtVerify(await key.sign(), find);
  isDown = true;
  nowMs += 3_600_000;
  await jwtVerify(await key.sign(), find);
  nowMs += 86_400_000;
  await jwtVerify(await key.sign(), find);
  expect(fetches).toBe(3);
});

test('without any set it is our trouble, asked again after 30 seconds', async () => {
  const key = await newKey('k1');
  isDown = true;
  const find = open();
  await expect(jwtVerify(await key.sign(), find)).rejects.toMatchObject({ code: 'keys_unavailable' });
  await expect(jwtVerify(await key.sign(), find)).rejects.toMatchObject({ code: 'keys_unavailable' });
  expect(fetches).toBe(1);
  isDown = false;
  keys = [key.jwk];
  nowMs += 30_000;
  await jwtVerify(await key.sign(), find);
});

test('a key that the provider has taken away is refused once the set is renewed', async () => {
  const [first, second] = await Promise.all([newKey('k1'), newKey('k2')]);
  keys = [first.jwk, second.jwk];
  const find = open();
  await jwtVerify(await first.sign(), find);
  keys = [second.jwk];
  nowMs += 600_001;
  await expect(jwtVerify(await first.sign(), find)).rejects.toMatchObject({
    code: 'ERR_JWKS_NO_MATCHING_KEY',
  });
});

test('a fetch that never ends, as its request was cancelled, locks out no later verification', async () => {
  // By this global jose recognizes Workers, where a cancelled request leaves its promises pending for ever.
  vi.stubGlobal('WebSocketPair', class {});
  const [first, second] = await Promise.all([newKey('k1'), newKey('k2')]);
  keys = [first.jwk];
  let isHanging = true;
  const find = createKeySet({
    url: new URL('https://idp.test/jwks'),
    fetch: async () => (isHanging ? new Promise<Response>(() => undefined) : Response.json({ keys })),
    now: () => nowMs,
    wait: async (ms) => {
      nowMs += ms;
    },
  });
  void jwtVerify(await first.sign(), find);
  await new Promise((resolve) => setTimeout(resolve, 10));
  isHanging = false;
  await jwtVerify(await first.sign(), find);

  nowMs += 30_000;
  isHanging = true;
  void jwtVerify(await second.sign(), find);
  await new Promise((resolve) => setTimeout(resolve, 10));
  isHanging = false;
  keys = [first.jwk, second.jwk];
  await jwtVerify(await second.sign(), find);
});
