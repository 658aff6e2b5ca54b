import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { BatchObject } from '../../shared/protocol/batch-protocol.ts';
import type { Batches } from '../batches/batches.ts';
import { batchesRoute } from './batches-route.ts';
import { coreUnderTest } from './testing/core-under-test.ts';

const batch = { id: 'batch_1', object: 'batch', status: 'validating' } as BatchObject;
const find = ({ user }: { user: string }) => {
  if (user !== 'ann') throw new AppError('batch_not_found', { param: 'id' });
  return batch;
};
const batches = {
  create: vi.fn<Batches['create']>(async () => batch),
  list: vi.fn<Batches['list']>(async () => ({ data: [batch], hasMore: false })),
  get: vi.fn<Batches['get']>(async (owner) => find(owner)),
  cancel: vi.fn<Batches['cancel']>(async (owner) => ({ ...find(owner), status: 'cancelling' })),
};
const core = coreUnderTest({ batches }, (app, services) => {
  const { create, list, read, cancel } = batchesRoute(services);
  app.post('/v1/batches', create).get('/v1/batches', list);
  app.get('/v1/batches/:id', read).post('/v1/batches/:id/cancel', cancel);
});
const ann = { tenant: 'acme', user: 'ann', plan: 'pro' };
const wanted = {
  input_file_id: 'file-1',
  endpoint: '/v1/chat/completions',
  completion_window: '24h',
};
beforeEach(() => void vi.clearAllMocks());

describe('POST /v1/batches', () => {
  test('creates a batch of the user, under the plan of the signature', async () => {
    const body = { ...wanted, metadata: { job: 'nightly' }, plan: 'unlimited' };
    const response = await core.call('POST', '/v1/batches', { body, as: ann });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(batch);
    expect(batches.create).toHaveBeenCalledExactlyOnceWith(expect.objectContaining(ann), {
      inputFile: 'file-1',
      endpoint: '/v1/chat/completions',
      window: '24h',
      windowMs: 86_400_000,
      metadata: { job: 'nightly' },
      plan: 'pro',
    });
  });

  test.each([
    ['1h', 3_600_000],
    ['168h', 604_800_000],
  ])('takes a window of %s', async (window, windowMs) => {
    await core.call('POST', '/v1/batches', { body: { ...wanted, completion_window: window }, as: ann });
    expect(batches.create.mock.calls[0]?.[1]).toMatchObject({ window, windowMs, metadata: undefined });
  });

  const tooMany = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, 'v']));
  test.each<[string, object, string, string]>([
    ['no file', { input_file_id: undefined }, 'missing_required_parameter', 'input_file_id'],
    ['an empty file id', { input_file_id: '' }, 'invalid_value', 'input_file_id'],
    ['another endpoint', { endpoint: '/v1/images' }, 'invalid_value', 'endpoint'],
    ['a window without a unit', { completion_window: '24' }, 'invalid_value', 'completion_window'],
    ['a window of no hours', { completion_window: '0h' }, 'invalid_value', 'completion_window'],
    ['a window of 169 hours', { completion_window: '169h' }, 'invalid_value', 'completion_window'],
    ['17 fields of metadata', { metadata: tooMany }, 'invalid_value', 'metadata'],
    ['metadata that is no text', { metadata: { job: 1 } }, 'invalid_type', 'metadata.job'],
  ])('with %s returns 400 and names the field', async (_name, change, code, param) => {
    const response = await core.call('POST', '/v1/batches', { body: { ...wanted, ...change }, as: ann });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code, param } });
    expect(batches.create).not.toHaveBeenCalled();
  });
});

describe('a batch', () => {
  test('is listed, read and cancelled', async () => {
    const list = await core.call('GET', '/v1/batches?after=batch_0', { as: ann });
    expect(await list.json()).toMatchObject({ object: 'list', data: [batch], has_more: false });
    expect(batches.list.mock.calls[0]?.[1]).toEqual({ limit: 20, after: 'batch_0' });
    expect(await (await core.call('GET', '/v1/batches/batch_1', { as: ann })).json()).toEqual(batch);
    const cancelled = await core.call('POST', '/v1/batches/batch_1/cancel', { as: ann });
    expect(await cancelled.json()).toMatchObject({ id: 'batch_1', status: 'cancelling' });
    expect(batches.cancel).toHaveBeenCalledExactlyOnceWith(expect.objectContaining(ann), 'batch_1');
  });

  test.each([
    ['GET', '/v1/batches/batch_1'],
    ['POST', '/v1/batches/batch_1/cancel'],
  ])('of another user: %s %s returns 404', async (method, path) => {
    const response = await core.call(method, path, { as: { ...ann, user: 'ben' } });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'batch_not_found', param: 'id' } });
  });
});
