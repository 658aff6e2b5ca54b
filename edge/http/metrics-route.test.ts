import { beforeEach, expect, test, vi } from 'vitest';
import type { EdgeBindings } from '../bindings.ts';
import { edgeUnderTest } from './testing/edge-under-test.ts';
import { fakeNamespace } from './testing/fake-objects.ts';

vi.mock('cloudflare:workers', () => ({ DurableObject: class {} }));
// A function of Workers that Node's `crypto.subtle` lacks; constant time does not matter here.
Object.assign(crypto.subtle, {
  timingSafeEqual: (one: ArrayBuffer, other: ArrayBuffer) =>
    String(new Uint8Array(one)) === String(new Uint8Array(other)),
});
const { metricsRoute } = await import('./metrics-route.ts');

const metricsToken = 'a-token-that-reads-metrics';
const steps: string[] = [];
const { namespace } = fakeNamespace({
  async text() {
    steps.push('read');
    return 'edgewise_requests_total 1\n';
  },
});
const measurements = { flush: async () => void steps.push('flush') };
function get(token: string | undefined, headers: Record<string, string>): Promise<Response> {
  const env = { METRICS: namespace } as unknown as EdgeBindings;
  const route = metricsRoute({ metricsToken: token, measurements });
  return edgeUnderTest((app) => app.get('/metrics', route), { env })('GET', '/metrics', undefined, headers);
}
beforeEach(() => {
  steps.length = 0;
});

test('with the token the metrics of all isolates are returned, including the newest of this one', async () => {
  const response = await get(metricsToken, { authorization: `Bearer ${metricsToken}` });
  expect(await response.text()).toBe('edgewise_requests_total 1\n');
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(steps).toEqual(['flush', 'read']);
});

test.each([
  ['no token', metricsToken, {}, 401, 'missing_token'],
  ['another token', metricsToken, { authorization: 'Bearer x' }, 401, 'invalid_token'],
  ['a longer token', metricsToken, { authorization: `Bearer ${metricsToken}0` }, 401, 'invalid_token'],
  [
    'any token when none is configured',
    undefined,
    { authorization: 'Bearer undefined' },
    404,
    'route_not_found',
  ],
])('with %s no metrics are returned', async (_name, token, headers, status, code) => {
  const response = await get(token, headers as Record<string, string>);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ error: { code } });
  expect(steps).toEqual([]);
});
