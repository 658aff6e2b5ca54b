import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { ApiKey, KeyName } from '../../shared/protocol/key-protocol.ts';
import type { WantedApiKey } from '../keys/api-keys.ts';
import { keysRoute } from './keys-route.ts';
import { coreUnderTest, nowMs } from './testing/core-under-test.ts';

const record: ApiKey = {
  id: 'key_1',
  tenant: 'acme',
  prefix: 'ew_abcdefg',
  name: 'build',
  plan: 'pro',
  scopes: ['admin'],
  createdAtMs: nowMs,
  expiresAtMs: null,
  revokedAtMs: null,
  lastUsedAtMs: null,
};
const keys = {
  create: vi.fn(async (_wanted: WantedApiKey) => ({ key: 'ew_secret', record })),
  list: vi.fn(async (tenant: string) => (tenant === 'acme' ? [record] : [])),
  async revoke(tenant: string, id: string) {
    if (tenant !== 'acme' || id !== record.id) throw new AppError('key_not_found', { param: 'id' });
    return { ...record, revokedAtMs: nowMs };
  },
  use: async (which: KeyName) => ('id' in which && which.id === record.id ? record : undefined),
};
const core = coreUnderTest({ keys }, (app, services) => {
  const { create, list, use, revoke } = keysRoute(services);
  app.post('/v1/keys', create).get('/v1/keys', list).post('/v1/keys/use', use).delete('/v1/keys/:id', revoke);
});
const as = { tenant: 'acme', plan: 'pro', scopes: ['admin', 'chat'] };
beforeEach(() => void vi.clearAllMocks());

describe('POST /v1/keys', () => {
  test('creates a key of the tenant and returns it once with its record', async () => {
    const body = { name: ' build ', plan: 'pro', scopes: ['admin'], expires_at: nowMs / 1000 + 1 };
    const response = await core.call('POST', '/v1/keys', { body, as });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ ...record, key: 'ew_secret' });
    expect(keys.create).toHaveBeenCalledExactlyOnceWith({
      tenant: 'acme',
      name: 'build',
      plan: 'pro',
      scopes: ['admin'],
      expiresAtMs: nowMs + 1000,
    });
  });

  test('takes the tenant from the signature and not from the body', async () => {
    await core.call('POST', '/v1/keys', { body: { name: 'n', tenant: 'victim' }, as });
    expect(keys.create).toHaveBeenCalledExactlyOnceWith({
      tenant: 'acme',
      name: 'n',
      plan: 'pro',
      scopes: [],
      expiresAtMs: undefined,
    });
  });

  test.each<[string, object, string]>([
    ['another plan than its own', { plan: 'unlimited' }, 'plan'],
    ['a scope that it does not hold', { scopes: ['chat', 'batch'] }, 'scopes'],
    ['the right to give any', { scopes: ['grant'] }, 'scopes'],
  ])('a caller cannot give %s', async (_name, wanted, param) => {
    const response = await core.call('POST', '/v1/keys', { body: { name: 'n', ...wanted }, as });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { code: 'insufficient_scope', param } });
    expect(keys.create).not.toHaveBeenCalled();
  });

  test('a caller with the scope grant gives any plan and scope', async () => {
    const body = { name: 'n', plan: 'unlimited', scopes: ['batch', 'admin'] };
    const operator = { ...as, scopes: ['admin', 'grant'] };
    expect((await core.call('POST', '/v1/keys', { body, as: operator })).status).toBe(200);
    expect(keys.create).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ plan: 'unlimited', scopes: ['batch', 'admin'] }),
    );
  });

  test.each<[string, object, string, string]>([
    ['no name', {}, 'missing_required_parameter', 'name'],
    ['an empty name', { name: ' ' }, 'invalid_value', 'name'],
    ['a plan that is no word', { name: 'n', plan: 'a b' }, 'invalid_value', 'plan'],
    ['a scope that is no word', { name: 'n', scopes: ['ok', ''] }, 'invalid_value', 'scopes[1]'],
    ['an end that has passed', { name: 'n', expires_at: nowMs / 1000 }, 'invalid_value', 'expires_at'],
    ['an end that is no whole number', { name: 'n', expires_at: 1.5 }, 'invalid_value', 'expires_at'],
  ])('with %s returns 400 and names the field', async (_name, body, code, param) => {
    const response = await core.call('POST', '/v1/keys', { body, as });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code, param } });
    expect(keys.create).not.toHaveBeenCalled();
  });

  test.each(['/v1/keys', '/v1/keys/use'])('%s with a body that is not JSON returns 400', async (path) => {
    const response = await core.call('POST', path, { body: '{', as });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_json' } });
  });
});

test('GET /v1/keys lists the keys of the tenant of the signature', async () => {
  const list = async (tenant: string) => (await core.call('GET', '/v1/keys', { as: { tenant } })).json();
  expect(await list('acme')).toEqual({ data: [record] });
  expect(await list('other')).toEqual({ data: [] });
});

describe('DELETE /v1/keys/:id', () => {
  test('returns the key with the time at which it was revoked', async () => {
    const response = await core.call('DELETE', '/v1/keys/key_1', { as });
    expect(await response.json()).toEqual({ ...record, revokedAtMs: nowMs });
  });

  test('returns 404 for a key of another tenant', async () => {
    const response = await core.call('DELETE', '/v1/keys/key_1', { as: { tenant: 'other' } });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'key_not_found', param: 'id' } });
  });
});

describe('POST /v1/keys/use', () => {
  test('returns the key that may be used', async () => {
    const response = await core.call('POST', '/v1/keys/use', { body: { id: 'key_1' } });
    expect(await response.json()).toEqual(record);
  });

  test.each([
    ['is not known', { hash: '0'.repeat(64) }, 404, 'key_not_found'],
    ['is named by what is no hash', { hash: 'x' }, 400, 'invalid_value'],
  ])('returns an error for a key that %s', async (_name, body, status, code) => {
    const response = await core.call('POST', '/v1/keys/use', { body });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
  });
});
