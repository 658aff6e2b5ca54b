import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { answerHeaders, authTiming, completeAnswer } from './answer-headers.ts';
import type { EdgeContext, EdgeHono } from './edge-hono.ts';
import { setHeaders } from './response-headers.ts';
import { securityHeaders } from './security-headers.ts';

/** @param answer creates the response that the guard completes */
async function complete(answer: (c: EdgeContext) => Response): Promise<Record<string, string>> {
  const app = new Hono<EdgeHono>();
  app.use(async (c, next) => {
    c.set('requestId', 'req-1');
    c.set('authMs', 1.25);
    await next();
    completeAnswer(c);
  });
  app.get('/', answer);
  return Object.fromEntries((await app.request('/')).headers);
}

describe('every response', () => {
  test('has the security headers, no-store and its request id', async () => {
    expect(await complete(() => new Response(null))).toEqual({
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-site',
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
      'x-request-id': 'req-1',
    });
  });

  test('keeps its own cache-control and security policy', async () => {
    const own = { 'cache-control': 'no-cache', 'content-security-policy': "script-src 'self'" };
    expect(await complete((c) => c.body(null, 200, own))).toMatchObject(own);
  });

  test('with immutable headers is replaced by a copy with its body', async () => {
    const upstream = Response.redirect('https://a.test/', 302);
    expect(() => upstream.headers.set('a', 'b')).toThrow(TypeError);
    const headers = await complete(() => upstream);
    expect(headers).toMatchObject({ location: 'https://a.test/', 'x-request-id': 'req-1' });
  });

  test('that is created with answerHeaders has the same headers', async () => {
    expect(await complete((c) => new Response(null, { headers: answerHeaders(c) }))).toEqual(
      await complete(() => new Response(null)),
    );
    expect(Object.keys(securityHeaders)).toHaveLength(6);
  });
});

test('server-timing reports the time of the auth guard in tenths of a millisecond', async () => {
  const headers = await complete((c) => c.body(null, 200, { 'server-timing': authTiming(c) }));
  expect(headers['server-timing']).toMatch(/^auth;dur=1\.[23]$/);
});

test('setHeaders replaces headers of the same name', async () => {
  const headers = await complete((c) => {
    c.res = new Response('x', { headers: { age: '1', etag: 'e' } });
    setHeaders(c, [
      ['age', '2'],
      ['x-a', 'b'],
    ]);
    return c.res;
  });
  expect(headers).toMatchObject({ age: '2', etag: 'e', 'x-a': 'b' });
});
