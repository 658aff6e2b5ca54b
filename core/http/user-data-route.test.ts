import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { RemoveUser } from '../user-data/remove-user.ts';
import { coreUnderTest } from './testing/core-under-test.ts';
import { userDataRoute } from './user-data-route.ts';

let isReleased = false;
async function* exportUser({ tenant, user }: { tenant: string; user: string }) {
  try {
    yield `{"type":"usage","of":"${tenant}/${user}"}\n`;
    yield '{"type":"feedback"}\n';
  } finally {
    isReleased = true;
  }
}
const removeUser = vi.fn<RemoveUser>(async () => ({ generations: 0, messages: 2 }));
const core = coreUnderTest({ exportUser, removeUser }, (app, services) => {
  const { export: read, remove } = userDataRoute(services);
  app.get('/v1/export', read).delete('/v1/users/:id', remove);
});
const ann = { tenant: 'acme', user: 'ann' };
const admin = { ...ann, scopes: ['admin'] };
beforeEach(() => {
  vi.clearAllMocks();
  isReleased = false;
});

describe('GET /v1/export', () => {
  test.each([
    ['one’s own', '/v1/export', ann, 'ann'],
    ['one’s own by name', '/v1/export?user=ann', ann, 'ann'],
    ['that of another user, for an admin', '/v1/export?user=ben', admin, 'ben'],
  ])('streams %s', async (_name, path, as, user) => {
    const response = await core.call('GET', path, { as });
    expect(response.headers.get('content-type')).toBe('application/jsonl; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.text()).toBe(`{"type":"usage","of":"acme/${user}"}\n{"type":"feedback"}\n`);
  });

  test('of another user without the scope admin returns 403', async () => {
    const response = await core.call('GET', '/v1/export?user=ben', { as: ann });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { code: 'insufficient_scope' } });
  });

  test('ends its reads when the reader leaves', async () => {
    const response = await core.call('GET', '/v1/export', { as: ann });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await reader.cancel();
    expect(isReleased).toBe(true);
  });
});

describe('DELETE /v1/users/:id', () => {
  test.each([
    ['oneself', ann, 'ann'],
    ['another user of the tenant, for an admin', admin, 'ben'],
  ])('removes %s and says how much', async (_name, as, user) => {
    const response = await core.call('DELETE', `/v1/users/${user}`, { as });
    expect(await response.json()).toEqual({ removed: { generations: 0, messages: 2 } });
    expect(removeUser).toHaveBeenCalledExactlyOnceWith({ tenant: 'acme', user });
  });

  test('removes nobody else without the scope admin', async () => {
    const response = await core.call('DELETE', '/v1/users/ben', { as: { ...ann, scopes: ['batch'] } });
    expect(response.status).toBe(403);
    expect(removeUser).not.toHaveBeenCalled();
  });
});
