import { describe, expect, test } from 'vitest';
import type { ModelInfo } from '../../shared/protocol/generation-protocol.ts';
import type { LiveRegistry } from '../models/live-registry.ts';
import { healthRoute } from './health-route.ts';
import { modelsRoute } from './models-route.ts';
import { coreUnderTest } from './testing/core-under-test.ts';

const gpt: ModelInfo = {
  id: 'gpt',
  object: 'model',
  created: 1,
  owned_by: 'openai',
  edgewise: {
    kind: 'model',
    context_length: 8000,
    encoding: 'o200k_base',
    generative: true,
    place: 'core',
    price: { input: 1, output: 2 },
    reason: 'OPENAI_API_KEY is set',
  },
};
const alias: ModelInfo = {
  ...gpt,
  id: 'auto',
  edgewise: { ...gpt.edgewise, kind: 'alias', targets: ['gpt'] },
};
const current = { list: () => [gpt, alias] } as LiveRegistry['current'];

function withState(fault: string | undefined, isDraining: boolean) {
  const parts = { registry: { current, fault }, generations: { isDraining } };
  return coreUnderTest(parts, (app, services) => {
    app.get('/healthz', healthRoute(services)).get('/v1/models', modelsRoute(services));
  });
}

test('GET /v1/models lists the models of the registry in OpenAI’s form, for a signed call alone', async () => {
  const core = withState(undefined, false);
  expect(await (await core.call('GET', '/v1/models')).json()).toEqual({ object: 'list', data: [gpt, alias] });
  expect((await core.request('/v1/models')).status).toBe(401);
});

describe('GET /healthz', () => {
  const models = [{ id: 'gpt', generative: true, reason: 'OPENAI_API_KEY is set' }];

  test('is open to all, and names the models that answer and why', async () => {
    const response = await withState(undefined, false).request('/healthz');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: 'ok', models_file: 'ok', models });
  });

  test('says that the models file is broken, without the fault itself', async () => {
    const response = await withState('line 3: unknown key', false).request('/healthz');
    expect(await response.json()).toEqual({ status: 'ok', models_file: 'broken', models });
  });

  test('returns 503 while the core stops', async () => {
    const response = await withState(undefined, true).request('/healthz');
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: 'stopping', models });
  });
});
