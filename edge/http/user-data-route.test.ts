import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { EdgeBindings } from '../bindings.ts';
import type { SessionStub } from '../session/session-stub.ts';
import type { ProxyToCore } from './proxy-to-core.ts';
import { edgeUnderTest } from './testing/edge-under-test.ts';
import { fakeNamespace } from './testing/fake-objects.ts';

vi.mock('cloudflare:workers', () => ({ DurableObject: class {} }));
const { userDataRoute } = await import('./user-data-route.ts');
const { AppError } = await import('../../shared/errors.ts');

const steps: string[] = [];
const session = {
  archiveNow: vi.fn<SessionStub['archiveNow']>(),
  remove: vi.fn<SessionStub['remove']>(),
};
let ids: string[];
const sessions = fakeNamespace(session);
const directories = fakeNamespace({
  all: async () => ids,
  clear: async () => void steps.push('clear'),
});
const answers = fakeNamespace({ remove: async () => ({ ok: true, value: 1 }) });
const env = {
  SESSIONS: sessions.namespace,
  DIRECTORY: directories.namespace,
  ANSWERS: answers.namespace,
} as unknown as EdgeBindings;
const proxyToCore = vi.fn<ProxyToCore>();
const forget = vi.fn(async () => undefined);
const ann = { tenant: 'acme', user: 'ann' };
function edge(as: object = ann, isArchiveOn = true) {
  const options = { isArchiveOn, cache: { forget } as never, proxyToCore, now: () => 9_999 };
  return edgeUnderTest(
    (app) => {
      const route = userDataRoute(options);
      app.get('/v1/export', route.export).delete('/v1/users/:id', route.remove);
    },
    { env, as },
  );
}
beforeEach(() => {
  vi.resetAllMocks();
  steps.length = 0;
  for (const { names } of [sessions, directories, answers]) names.length = 0;
  ids = ['s1', 's2'];
  session.archiveNow.mockResolvedValue(true);
  session.remove.mockResolvedValue({ ok: true, value: undefined });
  proxyToCore.mockImplementation(async () => {
    steps.push('core');
    return Response.json({ removed: { messages: 4 } });
  });
});

describe('GET /v1/export', () => {
  test('archives every session of the user first', async () => {
    expect((await edge()('GET', '/v1/export')).status).toBe(200);
    expect(directories.names).toEqual(['["acme","ann"]']);
    expect(sessions.names).toEqual(['["acme","ann","s1"]', '["acme","ann","s2"]']);
    expect(steps).toEqual(['core']);
  });

  test('returns 503 while the newest messages are not archived', async () => {
    session.archiveNow.mockResolvedValueOnce(false);
    const response = await edge()('GET', '/v1/export');
    expect([response.status, response.headers.get('retry-after-ms')]).toEqual([503, '1000']);
    expect(proxyToCore).not.toHaveBeenCalled();
  });

  test('is refused without an archive', async () => {
    const response = await edge(ann, false)('GET', '/v1/export');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'unsupported_value' } });
  });
});

describe('DELETE /v1/users/:id', () => {
  test('removes data at the edge first, then in the core, and reports how much', async () => {
    session.remove.mockResolvedValueOnce({ ok: false, error: new AppError('session_not_found').toInfo() });
    const body = await (await edge()('DELETE', '/v1/users/ann')).json();
    expect(body).toMatchObject({
      object: 'user.deleted',
      id: 'ann',
      deleted: true,
      deleted_at: 9,
      removed: { sessions: 1, cached_answers: answers.names.length, messages: 4 },
    });
    expect(session.remove.mock.calls).toEqual([
      [{ ...ann, sessionId: 's1' }, true],
      [{ ...ann, sessionId: 's2' }, true],
    ]);
    expect(forget.mock.calls).toEqual([['acme', { user: 'ann' }]]);
    expect(steps).toEqual(['clear', 'core']);
  });

  test('that fails in a session keeps the list of sessions for a retry', async () => {
    session.remove.mockResolvedValueOnce({ ok: false, error: new AppError('store_unavailable').toInfo() });
    expect((await edge()('DELETE', '/v1/users/ann')).status).toBe(503);
    expect(steps).toEqual([]);
  });

  test('calls at most 16 sessions at the same time', async () => {
    ids = Array.from({ length: 40 }, (_, index) => `s${index}`);
    let [running, most] = [0, 0];
    session.remove.mockImplementation(async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return { ok: true, value: undefined };
    });
    expect((await edge()('DELETE', '/v1/users/ann')).status).toBe(200);
    expect([session.remove.mock.calls.length, most]).toEqual([40, 16]);
  });
});

describe('the data of another user', () => {
  test('is available to an admin of the tenant', async () => {
    await edge({ ...ann, scopes: ['admin'] })('GET', '/v1/export?user=ben');
    expect(directories.names).toEqual(['["acme","ben"]']);
  });

  test.each<[string, object, string, number]>([
    ['no scope', ann, '/v1/export?user=ben', 403],
    ['an empty id', { ...ann, scopes: ['admin'] }, '/v1/export?user=', 400],
    ['an id that is too long', { ...ann, scopes: ['admin'] }, `/v1/export?user=${'x'.repeat(257)}`, 400],
  ])('with %s is not reached', async (_name, as, path, status) => {
    expect((await edge(as)('GET', path)).status).toBe(status);
    expect([directories.names, proxyToCore.mock.calls]).toEqual([[], []]);
  });
});
