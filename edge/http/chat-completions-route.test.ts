import { beforeEach, describe, expect, test, vi } from 'vitest';
import { chatCompletionsRoute } from './chat-completions-route.ts';
import type { PromptAnswers } from './prompt-answers.ts';
import { edgeUnderTest } from './testing/edge-under-test.ts';

const answerInSession = vi.fn<PromptAnswers['answerInSession']>(async () => new Response('session'));
const answerStateless = vi.fn<PromptAnswers['answerStateless']>(async () => new Response('stateless'));
const send = edgeUnderTest((app) =>
  app.post('/', chatCompletionsRoute({ answerInSession, answerStateless, newId: () => 'turn-1' })),
);
const hello = { messages: [{ role: 'user', content: 'Hello.' }] };
const request = { model: 'auto', messages: hello.messages, params: {} };
const post = (body: unknown, headers?: Record<string, string>) => send('POST', '/', body, headers);
const command = () => answerInSession.mock.calls[0]?.[1];
const turn = () => answerStateless.mock.calls[0]?.[1];
const wire = { kind: 'chat-completions', stream: false, includeUsage: false };
beforeEach(() => void vi.clearAllMocks());

describe('a prompt without a session', () => {
  test('is answered statelessly', async () => {
    expect(await (await post({ ...hello, temperature: 0 })).text()).toBe('stateless');
    expect(turn()).toEqual({
      turnId: 'turn-1',
      request: { ...request, params: { temperature: 0 } },
      derived: { plugins: {}, question: {} },
      state: undefined,
      wire,
    });
    expect(answerInSession).not.toHaveBeenCalled();
  });

  test('streams with usage on request', async () => {
    await post({ ...hello, stream: true, stream_options: { include_usage: true } });
    expect(turn()?.wire).toEqual({ kind: 'chat-completions', stream: true, includeUsage: true });
  });

  test('uses the conversation that its client keeps', async () => {
    await post(hello, { 'x-edgewise-state': 'sealed' });
    expect(turn()?.state).toBe('sealed');
  });

  test('with an idempotency key is answered in a session of the key', async () => {
    await post(hello, { 'idempotency-key': 'k1' });
    expect(command()).toMatchObject({
      sessionId: expect.stringMatching(/^conv_[0-9a-f]{32}$/),
      turnId: 'turn-1',
      alone: true,
      state: undefined,
      idempotency: { key: 'k1' },
    });
  });

  test('has another hash under the same key when its state differs', async () => {
    await post(hello, { 'idempotency-key': 'k1', 'x-edgewise-state': 'one' });
    await post(hello, { 'idempotency-key': 'k1', 'x-edgewise-state': 'two' });
    const [one, two] = answerInSession.mock.calls.map(([, { idempotency }]) => idempotency?.bodyHash);
    expect(one).not.toBe(two);
  });

  test('that is repeated shares its derived data, and is frozen', async () => {
    const body = { ...hello, user: crypto.randomUUID() };
    await post(body);
    await post(body);
    const [first, second] = answerStateless.mock.calls.map(([, turn]) => turn);
    expect(second?.derived).toBe(first?.derived);
    expect(Object.isFrozen(first?.request.messages)).toBe(true);
  });
});

describe('a prompt of a session', () => {
  test.each<[string, object, Record<string, string>]>([
    ['in the body', { session_id: 's1' }, {}],
    ['in the header', {}, { 'x-session-id': 's1' }],
    ['in both with the same value', { session_id: 's1' }, { 'x-session-id': 's1' }],
  ])('that is given %s is sent to it', async (_name, more, headers) => {
    expect(await (await post({ ...hello, ...more }, headers)).text()).toBe('session');
    expect(command()).toEqual({
      sessionId: 's1',
      turnId: 'turn-1',
      request,
      branch: undefined,
      idempotency: undefined,
      wire,
    });
  });

  test('may follow an older message, or answer a question again', async () => {
    await post({ ...hello, session_id: 's1', parent_id: 'm1' });
    await post({ messages: [], session_id: 's1', regenerate: true });
    expect(answerInSession.mock.calls.map(([, { branch }]) => branch)).toEqual([
      { kind: 'after-message', messageId: 'm1' },
      { kind: 'again', turnId: undefined },
    ]);
  });
});

test.each<[string, object, Record<string, string>, string]>([
  ['two different sessions', { ...hello, session_id: 's1' }, { 'x-session-id': 's2' }, 'session_id'],
  ['an invalid session id', hello, { 'x-session-id': 'a/b' }, 'x-session-id'],
  ['a session and a state', { ...hello, session_id: 's1' }, { 'x-edgewise-state': 'x' }, 'x-edgewise-state'],
  ['a branch without a session', { ...hello, parent_id: 'm1' }, {}, 'parent_id'],
  ['a regeneration without a session', { messages: [], regenerate: true }, {}, 'regenerate'],
  ['no messages', { messages: [] }, {}, 'messages'],
  ['an unknown role', { messages: [{ role: 'robot', content: 'x' }] }, {}, 'messages[0].role'],
])('%s returns 400, names the field and starts nothing', async (_name, body, headers, param) => {
  const response = await post(body, headers);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { param } });
  expect([answerInSession.mock.calls.length, answerStateless.mock.calls.length]).toEqual([0, 0]);
});
