import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { EdgeBindings } from '../bindings.ts';
import type { SessionStub } from '../session/session-stub.ts';
import { edgeUnderTest } from './testing/edge-under-test.ts';
import { fakeNamespace } from './testing/fake-objects.ts';

vi.mock('cloudflare:workers', () => ({ DurableObject: class {} }));
const { sessionRoute, sessionsRoute } = await import('./sessions-route.ts');
const { AppError } = await import('../../shared/errors.ts');

const nowMs = 1e12;
const turnId = '0123456789abcdef0123456789abcdef';
const answerKey = 'a'.repeat(64);
const session = {
  history: vi.fn<SessionStub['history']>(),
  attach: vi.fn<SessionStub['attach']>(),
  stopTurn: vi.fn<SessionStub['stopTurn']>(),
  forgetTurn: vi.fn<SessionStub['forgetTurn']>(),
  remove: vi.fn<SessionStub['remove']>(),
};
const list = vi.fn();
const removeAnswers = vi.fn(async () => ({ ok: true, value: 1 }));
const forget = vi.fn(async () => undefined);
const sessions = fakeNamespace(session);
const directories = fakeNamespace({ list });
const answers = fakeNamespace({ remove: removeAnswers });
const env = {
  SESSIONS: sessions.namespace,
  DIRECTORY: directories.namespace,
  ANSWERS: answers.namespace,
} as unknown as EdgeBindings;
const ann = { tenant: 'acme', user: 'ann' };
const edge = (as: object = ann) =>
  edgeUnderTest(
    (app) => {
      const route = sessionRoute({ cache: { forget } as never });
      app.get('/v1/sessions', sessionsRoute({ sessionTtlMs: 1000, now: () => nowMs }).list);
      app.get('/v1/sessions/:id', route.read).delete('/v1/sessions/:id', route.remove);
      app.get('/v1/sessions/:id/stream', route.stream).post('/v1/sessions/:id/stop', route.stop);
      app.post('/v1/sessions/:id/forget', route.forget);
    },
    { env, as },
  );
const send = edge();
const key = { ...ann, sessionId: 's1' };
beforeEach(() => {
  vi.clearAllMocks();
  for (const { names } of [sessions, directories, answers]) names.length = 0;
});

describe('GET /v1/sessions', () => {
  test('lists the caller’s unexpired sessions with times in seconds', async () => {
    const entry = { id: 's1', createdAtMs: 1_999, updatedAtMs: 3_001, rounds: 2 };
    list.mockResolvedValue({ sessions: [entry], hasMore: true });
    expect(await (await send('GET', '/v1/sessions?limit=5&after=s0')).json()).toEqual({
      object: 'list',
      data: [{ id: 's1', object: 'session', created_at: 1, updated_at: 3, rounds: 2 }],
      has_more: true,
    });
    expect(list.mock.calls).toEqual([[{ limit: 5, after: 's0', sinceMs: nowMs - 1000 }]]);
    expect(directories.names).toEqual(['["acme","ann"]']);
  });
});

describe('GET /v1/sessions/:id', () => {
  test('returns a page of messages with their positions', async () => {
    const stored = { id: 'm3', parentId: 'm2', turnId, createdAtMs: 1_999, round: 2 };
    session.history.mockResolvedValue({
      ok: true,
      value: { version: 4, first: 3, messages: [{ ...stored, message: { role: 'user', content: 'Hi' } }] },
    });
    expect(await (await send('GET', '/v1/sessions/s1?limit=1&before=4')).json()).toEqual({
      id: 's1',
      object: 'session',
      message_count: 4,
      messages: [
        {
          position: 3,
          id: 'm3',
          parent_id: 'm2',
          turn_id: turnId,
          created_at: 1,
          role: 'user',
          content: 'Hi',
        },
      ],
      has_more: true,
    });
    expect(session.history.mock.calls).toEqual([[key, 1, 3]]);
    expect(sessions.names).toEqual(['["acme","ann","s1"]']);
  });

  test('of a session other than the token’s is refused before the session is reached', async () => {
    expect((await edge({ ...ann, session: 's2' })('GET', '/v1/sessions/s1')).status).toBe(403);
    expect(sessions.names).toEqual([]);
  });
});

describe('GET /v1/sessions/:id/stream', () => {
  test.each<[string, string, Record<string, string>, object]>([
    ['the running turn', '', {}, { turnId: undefined, after: -1 }],
    ['the given turn', `?turn=${turnId}&starting_after=4`, {}, { turnId, after: 4 }],
    ['the events after another one', '', { 'last-event-id': `${turnId}:7` }, { turnId, after: 7 }],
  ])('joins %s', async (_name, query, headers, cursor) => {
    session.attach.mockResolvedValue({ ok: true, value: new Response('events') });
    const response = await send('GET', `/v1/sessions/s1/stream${query}`, undefined, headers);
    expect(await response.text()).toBe('events');
    expect(session.attach.mock.calls).toEqual([[cursor]]);
  });

  test('is empty when nothing runs', async () => {
    session.attach.mockResolvedValue({ ok: true, value: undefined });
    expect((await send('GET', '/v1/sessions/s1/stream')).status).toBe(204);
  });
});

test('a stop reports how the turn ended, and its usage', async () => {
  const usage = { inputTokens: 3, outputTokens: 4, estimated: true };
  session.stopTurn.mockResolvedValue({
    ok: true,
    value: { turnId, status: 'cancelled', text: 'Half', usage },
  });
  const response = await send('POST', '/v1/sessions/s1/stop', { turn_id: turnId });
  expect(await response.json()).toEqual({
    object: 'session.stop',
    turn_id: turnId,
    status: 'cancelled',
    text: 'Half',
    usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, estimated: true },
  });
  await send('POST', '/v1/sessions/s1/stop');
  expect(session.stopTurn.mock.calls).toEqual([[turnId], [undefined]]);
});

describe('POST /v1/sessions/:id/forget', () => {
  test('removes the turn, and the cached answer to its question', async () => {
    session.forgetTurn.mockResolvedValue({ ok: true, value: answerKey });
    const response = await send('POST', '/v1/sessions/s1/forget', { turn_id: turnId });
    expect(await response.json()).toEqual({
      object: 'session.turn.forgotten',
      session_id: 's1',
      turn_id: turnId,
    });
    expect(session.forgetTurn.mock.calls).toEqual([[key, turnId]]);
    expect(forget.mock.calls).toEqual([['acme', { key: answerKey }]]);
    expect(removeAnswers.mock.calls).toEqual([['acme', { key: answerKey }]]);
    expect(answers.names).toEqual(['["acme","a"]']);
  });

  test('does not change the cache when it has no answer of the turn', async () => {
    session.forgetTurn.mockResolvedValue({ ok: true, value: undefined });
    await send('POST', '/v1/sessions/s1/forget', { turn_id: turnId });
    expect([forget.mock.calls.length, answers.names.length]).toEqual([0, 0]);
  });
});

test('a session is deleted', async () => {
  session.remove.mockResolvedValue({ ok: true, value: undefined });
  expect(await (await send('DELETE', '/v1/sessions/s1')).json()).toEqual({
    id: 's1',
    object: 'session.deleted',
    deleted: true,
  });
  expect(session.remove.mock.calls).toEqual([[key]]);
});

test.each([
  ['GET', '', 'history', 'session_not_found', 404],
  ['GET', '/stream', 'attach', 'turn_expired', 410],
  ['POST', '/stop', 'stopTurn', 'turn_not_found', 404],
  ['DELETE', '', 'remove', 'store_unavailable', 503],
] as const)('%s %s that fails in the session is that error', async (method, rest, name, code, status) => {
  session[name].mockResolvedValue({ ok: false, error: new AppError(code).toInfo() });
  const response = await send(method, `/v1/sessions/s1${rest}`);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ error: { code } });
});

test.each<[string, string, unknown, Record<string, string>, string]>([
  ['GET', '/v1/sessions?limit=0', undefined, {}, 'limit'],
  ['GET', '/v1/sessions?after=a%2Fb', undefined, {}, 'after'],
  ['GET', '/v1/sessions/a%20b', undefined, {}, 'id'],
  ['GET', '/v1/sessions/s1?limit=501', undefined, {}, 'limit'],
  ['GET', '/v1/sessions/s1?before=0', undefined, {}, 'before'],
  ['GET', '/v1/sessions/s1/stream?turn=x', undefined, {}, 'turn'],
  ['GET', '/v1/sessions/s1/stream?starting_after=-1', undefined, {}, 'starting_after'],
  ['GET', '/v1/sessions/s1/stream', undefined, { 'last-event-id': 'x:1' }, 'Last-Event-ID'],
  ['POST', '/v1/sessions/s1/stop', { turn_id: 'x' }, {}, 'turn_id'],
  ['POST', '/v1/sessions/s1/forget', {}, {}, 'turn_id'],
])('%s %s with a wrong value returns 400 and names it', async (method, path, body, headers, param) => {
  const response = await send(method, path, body, headers);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { param } });
  for (const called of [...Object.values(session), list]) expect(called).not.toHaveBeenCalled();
});
