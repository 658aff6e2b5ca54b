import { expect, test } from 'vitest';
import { createMetrics } from '../observe/metrics.ts';
import { metricsRoute } from './metrics-route.ts';
import { coreUnderTest } from './testing/core-under-test.ts';

const metricsToken = 'a-token-that-reads-metrics';
const metrics = createMetrics({
  running: () => 3,
  waiting: () => 0,
  breakers: () => [{ model: 'gpt', state: 'open' }],
});
const core = coreUnderTest({ config: { metricsToken }, metrics }, (app, services) =>
  app.get('/metrics', metricsRoute(services)),
);
const get = (authorization?: string) =>
  core.request('/metrics', { headers: authorization ? { authorization } : {} });

test('GET /metrics answers who holds the token, in the text form of Prometheus', async () => {
  const response = await get(`Bearer ${metricsToken}`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(response.headers.get('cache-control')).toBe('no-store');
  const lines = (await response.text()).split('\n');
  expect(lines).toContain('edgewise_generations_running 3');
  expect(lines).toContain('edgewise_breaker_state{gen_ai_request_model="gpt"} 2');
});

test.each([
  [undefined, 'missing_token'],
  ['Basic x', 'missing_token'],
  ['Bearer another', 'invalid_token'],
  [`Bearer ${metricsToken}x`, 'invalid_token'],
])('GET /metrics with the header %s returns 401', async (authorization, code) => {
  const response = await get(authorization);
  expect(response.status).toBe(401);
  expect(await response.json()).toMatchObject({ error: { code } });
});

test('where no token is set there is no such address, whatever the caller sends', async () => {
  const withoutToken = coreUnderTest({ config: { metricsToken: undefined }, metrics }, (app, services) =>
    app.get('/metrics', metricsRoute(services)),
  );
  const response = await withoutToken.request('/metrics', { headers: { authorization: 'Bearer undefined' } });
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ error: { code: 'route_not_found' } });
});
