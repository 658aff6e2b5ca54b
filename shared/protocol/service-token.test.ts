import { SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { importServiceKey, type ServiceCall, signServiceToken, verifyServiceToken } from './service-token.ts';

const key = importServiceKey('a service secret of thirty-two bytes');
const context = { requestId: 'r', tenant: 't', user: 'u', plan: 'p', scopes: ['admin'], deadlineMs: 5 };
const call: ServiceCall = { method: 'POST', path: '/v1/generations', body: '{"a":1}' };
const nowMs = Date.UTC(2026, 0, 1);

test('carries the request context to the core', async () => {
  const token = await signServiceToken(key, context, call, nowMs);
  expect(await verifyServiceToken(key, token, call, nowMs + 59_000)).toEqual(context);
});

test('signed with the previous secret is still accepted while the secret is being changed', async () => {
  const previous = importServiceKey('the service secret before this one.');
  const token = await signServiceToken(previous, context, call, nowMs);
  expect(await verifyServiceToken([key, previous], token, call, nowMs)).toEqual(context);
  await expect(verifyServiceToken([key], token, call, nowMs)).rejects.toMatchObject({
    code: 'invalid_token',
  });
});

test('reads the body only when the signature and the binding hold', async () => {
  let reads = 0;
  const body = async () => {
    reads++;
    return new TextEncoder().encode('{"a":1}');
  };
  const stranger = importServiceKey('another service secret of 32 bytes!!');
  for (const token of [undefined, 'x.y.z', await signServiceToken(stranger, context, call, nowMs)])
    await expect(verifyServiceToken(key, token, { ...call, body }, nowMs)).rejects.toThrow();
  const token = await signServiceToken(key, context, call, nowMs);
  await expect(verifyServiceToken(key, token, { ...call, path: '/x', body }, nowMs)).rejects.toThrow();
  expect(reads).toBe(0);
  expect(await verifyServiceToken(key, token, { ...call, body }, nowMs)).toEqual(context);
  expect(reads).toBe(1);
});

describe('is refused', () => {
  test.each<[string, Partial<ServiceCall>]>([
    ['for another method', { method: 'GET' }],
    ['for another path', { path: '/v1/generations?after=3' }],
    ['for another body', { body: '{"a":2}' }],
    ['for no body', { body: '' }],
  ])('%s', async (_name, other) => {
    const token = await signServiceToken(key, context, call, nowMs);
    await expect(verifyServiceToken(key, token, { ...call, ...other }, nowMs)).rejects.toMatchObject({
      code: 'invalid_token',
    });
  });

  test('after its minute, and before it was signed', async () => {
    const token = await signServiceToken(key, context, call, nowMs);
    await expect(verifyServiceToken(key, token, call, nowMs + 66_000)).rejects.toMatchObject({
      code: 'token_expired',
    });
    await expect(verifyServiceToken(key, token, call, nowMs - 60_000)).rejects.toMatchObject({
      code: 'invalid_token',
    });
  });

  test('when it is missing, unsigned, signed by another, or of another kind', async () => {
    const other = importServiceKey('another service secret of 32 bytes!!');
    const good = {
      htm: 'POST',
      htu: call.path,
      tenant: 't',
      plan: 'p',
      scopes: [],
      deadline: 1,
      iat: nowMs / 1000,
    };
    const claims = {
      ...good,
      iss: 'edgewise-edge',
      aud: 'edgewise-core',
      sub: 'u',
      jti: 'r',
      exp: nowMs / 1000 + 60,
    };
    const tokens = [
      new UnsecuredJWT(claims).encode(),
      await signServiceToken(other, context, call, nowMs),
      await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(key),
      'abc',
    ];
    for (const token of tokens) {
      await expect(verifyServiceToken(key, token, call, nowMs)).rejects.toMatchObject({
        code: 'invalid_token',
      });
    }
    await expect(verifyServiceToken(key, undefined, call, nowMs)).rejects.toMatchObject({
      code: 'missing_token',
    });
  });

  test('a secret that is too short is refused when it is read', () => {
    expect(() => importServiceKey('short')).toThrow(TypeError);
  });
});
