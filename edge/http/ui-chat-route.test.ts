import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { SessionStub } from '../session/session-stub.ts';
import type { PromptAnswers } from './prompt-answers.ts';
import { edgeUnderTest } from './testing/edge-under-test.ts';
import { fakeSessions } from './testing/fake-objects.ts';
import { uiChatRoute } from './ui-chat-route.ts';

const turnId = '0123456789abcdef0123456789abcdef';
const answerInSession = vi.fn<PromptAnswers['answerInSession']>(async () => new Response('stream'));
const attach = vi.fn<SessionStub['attach']>();
const { env, names } = fakeSessions({ attach });
const send = edgeUnderTest(
  (app) => {
    const route = uiChatRoute({ answerInSession, newId: () => turnId });
    app.post('/api/chat', route.send).get('/api/chat/:id/stream', route.resume);
  },
  { env, as: { tenant: 'acme', user: 'ann' } },
);
beforeEach(() => {
  vi.clearAllMocks();
  names.length = 0;
  attach.mockResolvedValue({ ok: true, value: new Response('events', { headers: { 'x-a': 'b' } }) });
});
const user = (...parts: object[]) => ({ role: 'user', parts });
const text = (value: string) => ({ type: 'text', text: value });
const chat = { id: 's1', messages: [user(text('old')), user(text('Hello.'))] };
const command = () => answerInSession.mock.calls[0]?.[1];

describe('POST /api/chat', () => {
  test('sends only the newest message, since the session has the others', async () => {
    const response = await send('POST', '/api/chat', chat);
    expect(response.headers.get('x-workflow-run-id')).toBe(`run_${turnId}_s1`);
    expect(command()).toEqual({
      sessionId: 's1',
      turnId,
      request: { model: 'auto', messages: [{ role: 'user', content: 'Hello.' }], params: {} },
      branch: undefined,
      idempotency: undefined,
      wire: { kind: 'ui-messages', stream: true },
    });
  });

  test('sends images and files as parts, and omits parts that only the page uses', async () => {
    const parts = [
      text('See'),
      { type: 'file', mediaType: 'image/png', url: 'data:i' },
      { type: 'file', mediaType: 'application/pdf', url: 'data:p' },
      { type: 'step-start' },
    ];
    await send('POST', '/api/chat', { ...chat, messages: [user(...parts)], knowledge: false });
    expect(command()?.request).toMatchObject({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'See' },
            { type: 'image_url', image_url: { url: 'data:i' } },
            { type: 'file', file: { file_data: 'data:p' } },
          ],
        },
      ],
      recall: { knowledge: false },
    });
  });

  test.each([
    [`msg_${turnId}`, turnId],
    ['another-id', undefined],
    [null, undefined],
  ])('regenerates the answer for the message %s', async (messageId, again) => {
    await send('POST', '/api/chat', { ...chat, trigger: 'regenerate-message', messageId });
    expect(command()).toMatchObject({ branch: { kind: 'again', turnId: again }, request: { messages: [] } });
  });

  test.each<[string, object, string]>([
    ['no id', { id: undefined }, 'id'],
    ['an id that is not a session id', { id: 'a/b' }, 'id'],
    ['no messages', { messages: [] }, 'messages'],
    ['an answer as the newest', { messages: [{ role: 'assistant', parts: [] }] }, 'messages[0].role'],
    ['another trigger', { trigger: 'x' }, 'trigger'],
  ])('with %s returns 400 and names the field', async (_name, change, param) => {
    const response = await send('POST', '/api/chat', { ...chat, ...change });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param } });
    expect(answerInSession).not.toHaveBeenCalled();
  });
});

describe('GET /api/chat/:id/stream', () => {
  const wire = { kind: 'ui-messages', stream: true };

  test.each([
    ['/api/chat/s1/stream', undefined, -1],
    ['/api/chat/s1/stream?startIndex=0', undefined, -1],
    [`/api/chat/run_${turnId}_s1/stream?startIndex=7`, turnId, 6],
  ])('%s joins the caller’s own session', async (path, turn, after) => {
    const response = await send('GET', path);
    expect([response.status, await response.text(), response.headers.get('x-a')]).toEqual([
      200,
      'events',
      'b',
    ]);
    expect(attach.mock.calls).toEqual([[{ turnId: turn, after, wire }]]);
    expect(names).toEqual(['["acme","ann","s1"]']);
  });

  test('is empty when nothing runs', async () => {
    attach.mockResolvedValue({ ok: true, value: undefined });
    expect((await send('GET', '/api/chat/s1/stream')).status).toBe(204);
  });

  test('returns the error of an expired turn', async () => {
    attach.mockResolvedValue({ ok: false, error: new AppError('turn_expired').toInfo() });
    expect((await send('GET', '/api/chat/s1/stream')).status).toBe(410);
  });

  test.each(['-1', 'x', '1.5'])('with startIndex=%s returns 400', async (startIndex) => {
    const response = await send('GET', `/api/chat/s1/stream?startIndex=${startIndex}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param: 'startIndex' } });
    expect(attach).not.toHaveBeenCalled();
  });
});
