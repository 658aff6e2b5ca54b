import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { ArchivedTurn } from '../../shared/protocol/archive-protocol.ts';
import type { Archive } from '../archive/archive.ts';
import { archiveRoute } from './archive-route.ts';
import { coreUnderTest } from './testing/core-under-test.ts';

const notes = { throughMessageId: 'm1', throughRound: 1, lines: [] };
const turn: ArchivedTurn = {
  turnId: 't1',
  sessionId: 's1',
  status: 'completed',
  startedAtMs: 1,
  endedAtMs: 2,
  model: 'gpt',
  place: 'core',
  cache: null,
  usage: { inputTokens: 1, outputTokens: 2, estimated: false, cachedInputTokens: 1 },
  error: null,
  messages: [
    {
      id: 'm1',
      parentId: null,
      turnId: 't1',
      round: 1,
      createdAtMs: 1,
      message: { role: 'user', content: 'Hello.', name: 'ann' },
      position: 0,
    },
  ],
  system: null,
  foldThroughRound: 0,
};
const archive = {
  keep: vi.fn<Archive['keep']>(async () => notes),
  session: vi.fn<Archive['session']>(async ({ user }) => {
    if (user !== 'ann') throw new AppError('session_not_found', { param: 'id' });
    return { system: [], messages: turn.messages, notes };
  }),
  removeSession: vi.fn<Archive['removeSession']>(async () => undefined),
  removeTurn: vi.fn<Archive['removeTurn']>(async () => undefined),
};
const core = coreUnderTest({ archive }, (app, services) => {
  const { keep, session, remove, removeTurn } = archiveRoute(services);
  app.post('/v1/archive/turns', keep).get('/v1/archive/sessions/:id', session);
  app.delete('/v1/archive/sessions/:id', remove);
  app.delete('/v1/archive/sessions/:id/turns/:turn', removeTurn);
});
const ann = { tenant: 'acme', user: 'ann' };
const keepTurns = (body: unknown) => core.call('POST', '/v1/archive/turns', { body, as: ann });
beforeEach(() => void vi.clearAllMocks());

describe('POST /v1/archive/turns', () => {
  test('keeps the turns as they came, and answers with the notes', async () => {
    const response = await keepTurns({ turns: [turn], notesTokens: 300 });
    expect(await response.json()).toEqual({ notes });
    expect(archive.keep).toHaveBeenCalledExactlyOnceWith(ann, { turns: [turn], notesTokens: 300 });
  });

  test('answers with null where there are no notes', async () => {
    archive.keep.mockResolvedValueOnce(undefined);
    expect(await (await keepTurns({ turns: [], notesTokens: 0 })).json()).toEqual({ notes: null });
  });

  test.each<[string, object, string, string]>([
    ['no turns', { turns: undefined }, 'missing_required_parameter', 'turns'],
    ['201 turns', { turns: Array(201).fill(turn) }, 'invalid_value', 'turns'],
    ['too many tokens of notes', { notesTokens: 1001 }, 'invalid_value', 'notesTokens'],
    [
      'a time before 1970',
      { turns: [{ ...turn, startedAtMs: -1 }] },
      'invalid_value',
      'turns[0].startedAtMs',
    ],
    [
      'half a token',
      { turns: [{ ...turn, usage: { ...turn.usage, inputTokens: 0.5 } }] },
      'invalid_value',
      'turns[0].usage.inputTokens',
    ],
    [
      'a message without its role',
      { turns: [{ ...turn, messages: [{ ...turn.messages[0], message: { content: 'x' } }] }] },
      'missing_required_parameter',
      'turns[0].messages[0].message.role',
    ],
  ])('with %s returns 400 and names the field', async (_name, change, code, param) => {
    const response = await keepTurns({ turns: [turn], notesTokens: 300, ...change });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code, param } });
    expect(archive.keep).not.toHaveBeenCalled();
  });
});

describe('an archived session', () => {
  test('is read by its user', async () => {
    const response = await core.call('GET', '/v1/archive/sessions/s1', { as: ann });
    expect(await response.json()).toEqual({ system: [], messages: turn.messages, notes });
  });

  test('of another user is a 404', async () => {
    const response = await core.call('GET', '/v1/archive/sessions/s1', { as: { ...ann, user: 'ben' } });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'session_not_found' } });
  });

  test('is removed whole, or by the turn, for the user of the signature', async () => {
    const whole = await core.call('DELETE', '/v1/archive/sessions/s1', { as: ann });
    const one = await core.call('DELETE', '/v1/archive/sessions/s1/turns/t1', { as: ann });
    expect([await whole.json(), await one.json()]).toEqual([{}, {}]);
    expect(archive.removeSession).toHaveBeenCalledExactlyOnceWith(ann, 's1');
    expect(archive.removeTurn).toHaveBeenCalledExactlyOnceWith(ann, { conversation: 's1', turnId: 't1' });
  });
});
