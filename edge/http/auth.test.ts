import { Hono } from 'hono';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { Authenticate } from '../auth/authenticate.ts';
import { requestContext } from './auth.ts';
import type { EdgeHono } from './edge-hono.ts';
import { onError } from './on-error.ts';

let nowMs: number;
const caller = {
  tenant: 'acme',
  user: 'ann',
  plan: 'pro',
  scopes: ['admin'],
  expiresAtMs: 2e12,
  isKey: true,
  keyId: 'key_1',
};
const authenticate = vi.fn<Authenticate>(async (token) => {
  nowMs += 3;
  if (token === undefined) throw new AppError('missing_token');
  if (token !== 'good') throw new AppError('invalid_token');
  return caller;
});
const app = new Hono<EdgeHono>();
app.use(async (c, next) => {
  c.set('requestId', 'req-1');
  c.set('traceparent', '00-a-b-01');
  await next();
});
app.use(requestContext({ authenticate, turnTimeoutMs: 60_000, now: () => nowMs }));
app.get('/', (c) =>
  c.json({
    request: c.get('request'),
    isKey: c.get('isKey'),
    tokenExpiresAtMs: c.get('tokenExpiresAtMs'),
    authMs: c.get('authMs'),
  }),
);
app.onError(onError);
beforeEach(() => {
  vi.clearAllMocks();
  nowMs = 1e12;
});

test('a caller who is let in is the request’s context, with a deadline from its arrival', async () => {
  const response = await app.request('/', { headers: { authorization: 'Bearer good' } });
  expect(await response.json()).toEqual({
    request: {
      requestId: 'req-1',
      tenant: 'acme',
      user: 'ann',
      plan: 'pro',
      scopes: ['admin'],
      keyId: 'key_1',
      traceparent: '00-a-b-01',
      deadlineMs: 1e12 + 60_000,
    },
    isKey: true,
    tokenExpiresAtMs: 2e12,
    authMs: 3,
  });
  expect(authenticate).toHaveBeenCalledExactlyOnceWith('good', 'req-1');
});

describe('the token', () => {
  test.each<[string, Record<string, string>, string | undefined]>([
    ['comes in the header', { authorization: 'Bearer good' }, 'good'],
    ['comes in the header, however its scheme is written', { authorization: 'bearer  good' }, 'good'],
    [
      'of a socket comes as a protocol',
      { 'sec-websocket-protocol': 'edgewise.v1, edgewise.token.good' },
      'good',
    ],
    [
      'in the header goes before a protocol',
      { authorization: 'Bearer header', 'sec-websocket-protocol': 'edgewise.token.good' },
      'header',
    ],
    ['of another scheme is none', { authorization: 'Basic good' }, undefined],
    [
      'of another scheme is none, whatever the protocols hold',
      { authorization: 'Basic x', 'sec-websocket-protocol': 'edgewise.token.good' },
      undefined,
    ],
    ['is missing', {}, undefined],
  ])('%s', async (_name, headers, token) => {
    await app.request('/', { headers });
    expect(authenticate.mock.calls).toEqual([[token, 'req-1']]);
  });

  test('in the address is none', async () => {
    const response = await app.request('/?access_token=good&token=good');
    expect(response.status).toBe(401);
    expect(authenticate.mock.calls).toEqual([[undefined, 'req-1']]);
  });
});

test('a caller who is refused reaches nothing, and is told how to ask', async () => {
  const response = await app.request('/', { headers: { authorization: 'Bearer bad' } });
  expect(response.status).toBe(401);
  expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
});
