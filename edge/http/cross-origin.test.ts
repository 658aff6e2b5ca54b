import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { applyCors } from './cross-origin.ts';
import type { EdgeHono } from './edge-hono.ts';

function appFor(origins: string[]) {
  let reached = 0;
  const app = new Hono<EdgeHono>();
  app.use((c, next) => applyCors(c, next, origins));
  app.post('/v1/x', (c) => {
    reached++;
    return c.text('done');
  });
  const call = (method: string, headers: Record<string, string>) => app.request('/v1/x', { method, headers });
  return { call, reached: () => reached };
}
const preflight = (origin: string) => ({
  origin,
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization,content-type',
});
const exact = ['https://app.test', 'https://other.test'];

describe('an origin that is configured', () => {
  test('may send its token, and its preflight reaches no route', async () => {
    const { call, reached } = appFor(exact);
    const response = await call('OPTIONS', preflight('https://app.test'));
    expect(response.status).toBe(204);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'access-control-allow-origin': 'https://app.test',
      'access-control-allow-methods': 'GET,POST,PATCH,DELETE,OPTIONS',
      'access-control-allow-headers': 'authorization,content-type',
      'access-control-max-age': '86400',
    });
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    expect(reached()).toBe(0);
  });

  test('may read the answer and the headers that its client needs', async () => {
    const response = await appFor(exact).call('POST', { origin: 'https://other.test' });
    expect(await response.text()).toBe('done');
    expect(response.headers.get('access-control-allow-origin')).toBe('https://other.test');
    expect(response.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    expect(response.headers.get('vary')).toContain('Origin');
    const exposed = response.headers.get('access-control-expose-headers')?.split(',');
    for (const name of ['x-request-id', 'x-session-id', 'retry-after-ms', 'x-should-retry'])
      expect(exposed).toContain(name);
  });
});

test.each([
  ['another origin', exact, 'https://evil.test'],
  ['an origin that begins with an allowed one', exact, 'https://app.test.evil.test'],
  ['another scheme', exact, 'http://app.test'],
  ['a page without an origin', exact, 'null'],
])('%s may read nothing', async (_name, origins, origin) => {
  for (const [method, headers] of [
    ['POST', { origin }],
    ['OPTIONS', preflight(origin)],
  ] as const) {
    const response = await appFor([...origins]).call(method, headers);
    expect([method, response.headers.get('access-control-allow-origin')]).toEqual([method, null]);
    expect(response.headers.get('cross-origin-resource-policy')).toBeNull();
  }
});

test('with * every origin may read', async () => {
  const response = await appFor(['*']).call('POST', { origin: 'https://any.test' });
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  expect(response.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
});
