import { describe, expect, test } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { ModelList } from '../../shared/protocol/generation-protocol.ts';
import { type HealthRouteOptions, healthRoute } from './health-route.ts';
import { modelsRoute } from './models-route.ts';
import { edgeUnderTest } from './testing/edge-under-test.ts';

type Health = Awaited<ReturnType<HealthRouteOptions['core']['health']>>;
const region = { name: 'eu', ok: true } as unknown as Health['regions'][number];

async function healthOf(health: Partial<Health>, lightModel?: string): Promise<[number, object]> {
  const core = {
    health: async () => ({ ok: true, detail: { status: 'ok' }, regions: [region], ...health }) as Health,
  };
  const send = edgeUnderTest((app) =>
    app.get('/healthz', healthRoute({ core, lightModel, sessionStore: 'durable-object' })),
  );
  const response = await send('GET', '/healthz');
  return [response.status, await response.json()];
}

describe('GET /healthz', () => {
  test('reports the state of the edge and of the core', async () => {
    expect(await healthOf({}, 'light')).toEqual([
      200,
      { status: 'ok', light_model: 'light', session_store: 'durable-object', core: { status: 'ok' } },
    ]);
  });

  test('stays 200 without the core, and does not show the core’s error', async () => {
    expect(await healthOf({ ok: false, detail: { error: 'connect core-7.internal' } })).toEqual([
      200,
      { status: 'ok', light_model: null, session_store: 'durable-object', core: { status: 'unreachable' } },
    ]);
  });

  test('lists the regions when there are several', async () => {
    expect((await healthOf({ regions: [region, region] }))[1]).toMatchObject({
      core_regions: [region, region],
    });
  });
});

describe('GET /v1/models', () => {
  test('lists the models for the caller', async () => {
    const models: ModelList = { object: 'list', data: [] };
    const requested: string[] = [];
    const catalog = {
      async list({ tenant }: { tenant: string }) {
        requested.push(tenant);
        return models;
      },
    };
    const send = edgeUnderTest((app) => app.get('/v1/models', modelsRoute({ catalog })), {
      as: { tenant: 'acme' },
    });
    expect(await (await send('GET', '/v1/models')).json()).toEqual(models);
    expect(requested).toEqual(['acme']);
  });

  test('reports an error when the core fails', async () => {
    const catalog = { list: () => Promise.reject(new AppError('core_unavailable')) };
    const send = edgeUnderTest((app) => app.get('/v1/models', modelsRoute({ catalog })));
    expect((await send('GET', '/v1/models')).status).toBe(503);
  });
});
