import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import { readyRoute } from './ready-route.ts';
import { type CoreParts, coreUnderTest } from './testing/core-under-test.ts';

afterEach(() => vi.useRealTimers());

const working: CoreParts = {
  config: { databaseUrl: 'postgres://db.internal/edgewise' },
  generations: { isDraining: false },
  registry: { fault: undefined },
  database: { acrossTenants: async (work) => work({} as never) },
  pingRedis: async () => 'ok',
};
const core = (parts: CoreParts = {}) =>
  coreUnderTest({ ...working, ...parts }, (app, services) => {
    const ready = readyRoute(services);
    app.get('/readyz', ready.open);
    app.get('/v1/readyz', ready.signed);
  });

describe('GET /readyz of the core', () => {
  test('is 200 when every check passes', async () => {
    const response = await core().request('/readyz');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      status: 'ready',
      checks: { process: 'ok', models_file: 'ok', database: 'ok', redis: 'ok' },
    });
  });

  test.each<[string, CoreParts, Record<string, string>]>([
    ['it stops', { generations: { isDraining: true } }, { process: 'stopping' }],
    ['the models file is broken', { registry: { fault: 'line 3' } }, { models_file: 'broken' }],
    [
      'the database is away',
      { database: { acrossTenants: () => Promise.reject(new AppError('database_unavailable')) } },
      { database: 'unavailable' },
    ],
    [
      'Redis is away',
      { pingRedis: () => Promise.reject(new Error('redis.internal')) },
      { redis: 'unavailable' },
    ],
    [
      'the folder is gone',
      { config: { databaseUrl: undefined, databaseDir: '/nowhere/postgres' } },
      { disk: 'unavailable' },
    ],
  ])('is 503 when %s', async (_name, parts, failing) => {
    const response = await core(parts).request('/readyz');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ status: 'not_ready', checks: failing });
  });

  test('checks the disk of an embedded database', async () => {
    const databaseDir = await mkdtemp(join(tmpdir(), 'edgewise-ready-'));
    const response = await core({ config: { databaseUrl: undefined, databaseDir } }).request('/readyz');
    expect(await response.json()).toMatchObject({ checks: { disk: 'ok' } });
    await rm(databaseDir, { recursive: true });
  });

  test('does not wait for a database that hangs', async () => {
    vi.useFakeTimers();
    const response = core({ database: { acrossTenants: () => new Promise(() => undefined) } }).request(
      '/readyz',
    );
    await vi.advanceTimersByTimeAsync(2000);
    expect(await (await response).json()).toMatchObject({ checks: { database: 'unavailable' } });
  });

  test('runs its checks at most once a second, however often it is called', async () => {
    const acrossTenants = vi.fn(async () => undefined as never);
    const { request } = core({ database: { acrossTenants } });
    for (let call = 0; call < 20; call++) await request('/readyz');
    expect(acrossTenants).toHaveBeenCalledTimes(1);
  });
});

test('the signed one is 200 whatever the checks say, and 401 without a signature', async () => {
  const { call, request } = core({ generations: { isDraining: true } });
  const response = await call('GET', '/v1/readyz');
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ status: 'not_ready' });
  expect((await request('/v1/readyz')).status).toBe(401);
});
