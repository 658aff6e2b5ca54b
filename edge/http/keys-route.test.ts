import { beforeEach, expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { ApiKey } from '../../shared/protocol/key-protocol.ts';
import type { CoreCall } from '../core-client/core-call.ts';
import { keysRoute } from './keys-route.ts';
import { edgeUnderTest } from './testing/edge-under-test.ts';

const record: ApiKey = {
  id: 'key_1',
  tenant: 'acme',
  prefix: 'ew_abcdefg',
  name: 'build',
  plan: 'pro',
  scopes: ['batch'],
  createdAtMs: 1_999,
  expiresAtMs: null,
  revokedAtMs: null,
  lastUsedAtMs: 3_001,
};
const shown = {
  object: 'api_key',
  id: 'key_1',
  name: 'build',
  prefix: 'ew_abcdefg',
  plan: 'pro',
  scopes: ['batch'],
  created_at: 1,
  expires_at: null,
  revoked_at: null,
  last_used_at: 3,
};
const callCore = vi.fn<CoreCall>();
const forget = vi.fn<(id: string) => void>();
const send = edgeUnderTest((app) => {
  const { create, list, revoke } = keysRoute({ callCore, keys: { forget } });
  app.post('/v1/keys', create).get('/v1/keys', list).delete('/v1/keys/:id', revoke);
});
beforeEach(() => {
  callCore.mockReset();
  forget.mockReset();
});

test('a key is created once, and returned only then', async () => {
  callCore.mockResolvedValue(Response.json({ ...record, key: 'ew_secret' }));
  const response = await send('POST', '/v1/keys', { name: ' build ', plan: 'pro', scopes: ['batch'] });
  expect(response.status).toBe(201);
  expect(await response.json()).toEqual({ ...shown, key: 'ew_secret' });
  expect(callCore.mock.calls[0]?.[1]).toEqual({
    method: 'POST',
    path: '/v1/keys',
    body: '{"name":"build","plan":"pro","scopes":["batch"]}',
    createsNew: true,
  });
});

test('a key without a name never reaches the core', async () => {
  const response = await send('POST', '/v1/keys', { plan: 'pro' });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { param: 'name' } });
  expect(callCore).not.toHaveBeenCalled();
});

test('keys are listed with times in seconds, and without their tenant', async () => {
  callCore.mockResolvedValue(Response.json({ data: [record] }));
  expect(await (await send('GET', '/v1/keys')).json()).toEqual({ object: 'list', data: [shown] });
});

test('a revoked key is removed from this isolate at once', async () => {
  callCore.mockResolvedValue(Response.json({ ...record, revokedAtMs: 5_000 }));
  const response = await send('DELETE', '/v1/keys/key%2F1');
  expect(await response.json()).toEqual({ ...shown, revoked_at: 5 });
  expect(callCore.mock.calls[0]?.[1]).toEqual({ method: 'DELETE', path: '/v1/keys/key%2F1' });
  expect(forget.mock.calls).toEqual([['key_1']]);
});

test('an unknown key returns 404, and nothing is removed', async () => {
  callCore.mockRejectedValue(new AppError('key_not_found', { param: 'id' }));
  expect((await send('DELETE', '/v1/keys/none')).status).toBe(404);
  expect(forget).not.toHaveBeenCalled();
});
