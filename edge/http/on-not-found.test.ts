import { Hono } from 'hono';
import { expect, test } from 'vitest';
import type { EdgeHono } from './edge-hono.ts';
import { methodsOf, onNotFound } from './on-not-found.ts';

const app = new Hono<EdgeHono>();
app.use(async (_c, next) => next());
app.use('/v1/*', async (_c, next) => next());
app.get('/v1/things/:id', (c) => c.text('read'));
app.delete('/v1/things/:id', (c) => c.text('removed'));
app.post('/v1/things', (c) => c.text('made'));
app.notFound(onNotFound(app));

test('an unknown address returns 404', async () => {
  for (const path of ['/nothing', '/v1/nothing', '/v1/things/a/b']) {
    const response = await app.request(path);
    expect([path, response.status, response.headers.get('allow')]).toEqual([path, 404, null]);
    expect(await response.json()).toMatchObject({ error: { code: 'route_not_found' } });
  }
});

test('an unsupported method returns 405 with the supported ones', async () => {
  const response = await app.request('/v1/things/1', { method: 'POST' });
  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toBe('DELETE, GET');
  expect(await response.json()).toMatchObject({
    error: { code: 'method_not_allowed', message: 'This address answers DELETE, GET, not POST.' },
  });
});

test('the methods of an address do not include its middleware', () => {
  expect(methodsOf(app, '/v1/things')).toEqual(['POST']);
  expect(methodsOf(app, '/v1/other')).toEqual([]);
});
