import { describe, expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { Readiness } from '../../shared/protocol/readiness.ts';
import type { CoreCall } from '../core-client/core-call.ts';
import { createCoreReadiness } from '../core-client/core-readiness.ts';
import { type ReadyRouteOptions, readyRoute } from './ready-route.ts';
import { edgeUnderTest } from './testing/edge-under-test.ts';

const coreIsReady: Readiness = { status: 'ready', checks: { process: 'ok', database: 'ok' } };

function edge(options: Partial<ReadyRouteOptions> = {}, callCore?: CoreCall) {
  const answer: CoreCall = async () => Response.json(coreIsReady);
  return edgeUnderTest((app) =>
    app.get(
      '/readyz',
      readyRoute({
        coreReadiness: createCoreReadiness(callCore ?? answer, Date.now, () => 'r'),
        pingRedis: undefined,
        writeToStorage: async () => undefined,
        now: () => 0,
        ...options,
      }),
    ),
  );
}

describe('GET /readyz', () => {
  test('is 200 when core and stores work', async () => {
    const response = await edge({ pingRedis: async () => undefined })('GET', '/readyz');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      status: 'ready',
      checks: { storage: 'ok', redis: 'ok', core: 'ok', core_process: 'ok', core_database: 'ok' },
    });
  });

  const refused = (code: 'token_expired' | 'invalid_token') =>
    new AppError('core_unavailable', { cause: new AppError(code) });

  test.each<[string, Error, string]>([
    ['the core cannot be reached', new AppError('core_unavailable'), 'unreachable'],
    ['the secrets differ', refused('invalid_token'), 'signature_refused'],
    ['the clocks differ', refused('token_expired'), 'clocks_differ'],
  ])('is 503 when %s', async (_name, error, reason) => {
    const response = await edge({}, () => Promise.reject(error))('GET', '/readyz');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ status: 'not_ready', checks: { core: reason } });
  });

  test('is 503 when a check of the core fails', async () => {
    const notReady = { status: 'not_ready', checks: { database: 'unavailable' } };
    const response = await edge({}, async () => Response.json(notReady))('GET', '/readyz');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ checks: { core: 'ok', core_database: 'unavailable' } });
  });

  test.each<[string, Partial<ReadyRouteOptions>, object]>([
    ['storage', { writeToStorage: () => Promise.reject(new Error('disk')) }, { storage: 'unavailable' }],
    ['Redis', { pingRedis: () => Promise.reject(new Error('redis.internal')) }, { redis: 'unavailable' }],
  ])('is 503 when the edge’s %s does not work', async (_name, options, checks) => {
    const response = await edge(options)('GET', '/readyz');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ checks });
  });

  test('runs its checks at most once a second', async () => {
    const coreReadiness = vi.fn(async () => coreIsReady);
    const send = edge({ coreReadiness });
    for (let call = 0; call < 20; call++) await send('GET', '/readyz');
    expect(coreReadiness).toHaveBeenCalledTimes(1);
  });
});
