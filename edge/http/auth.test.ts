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

test('an authenticated caller becomes the request’s context, with a deadline from its arrival', async () => {
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
    ['is read from the header', { authorization: 'Bearer good' }, 'good'],
    ['is read from the header with any case of the scheme', { authorization: 'bearer  good' }, 'good'],
    [
      'of a socket is read from a subprotocol',
      { 'sec-websocket-protocol': 'edgewise.v1, edgewise.token.good' },
      'good',
    ],
    [
      'in the header takes precedence over a subprotocol',
      { authorization: 'Bearer header', 'sec-websocket-protocol': 'edgewise.token.good' },
      'header',
    ],
    ['of another scheme is ignored', { authorization: 'Basic good' }, undefined],
    [
      'of another scheme is ignored even with a token as a subprotocol',
      { authorization: 'Basic x', 'sec-websocket-protocol': 'edgewise.token.good' },
      undefined,
    ],
    ['is missing', {}, undefined],
  ])('%s', async (_name, headers, token) => {
    await app.request('/', { headers });
    expect(authenticate.mock.calls).toEqual([[token, 'req-1']]);
  });

  test('in the address is ignored', async () => {
    const response = await app.request('/?access_token=good&token=good');
    expect(response.status).toBe(401);
    expect(authenticate.mock.calls).toEqual([[undefined, 'req-1']]);
  });
});

test('a refused caller reaches no route, and gets an authentication challenge', async () => {
  const response = await app.request('/', { headers: { authorization: 'Bearer bad' } });
  expect(response.status).toBe(401);
  expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
});
