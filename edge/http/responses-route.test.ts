import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { SessionStub } from '../session/session-stub.ts';
import type { PromptAnswers } from './prompt-answers.ts';
import { responsesRoute } from './responses-route.ts';
import { edgeUnderTest } from './testing/edge-under-test.ts';
import { fakeSessions } from './testing/fake-objects.ts';

const turnId = '0123456789abcdef0123456789abcdef';
const older = 'f'.repeat(32);
const id = `resp_${turnId}_s1`;
const answerInSession = vi.fn<PromptAnswers['answerInSession']>(async () => new Response('session'));
const answerStateless = vi.fn<PromptAnswers['answerStateless']>(async () => new Response('stateless'));
const session = {
  describe: vi.fn<SessionStub['describe']>(),
  attach: vi.fn<SessionStub['attach']>(),
  stopTurn: vi.fn<SessionStub['stopTurn']>(),
  removeTurn: vi.fn<SessionStub['removeTurn']>(),
  question: vi.fn<SessionStub['question']>(),
};
const { env, names } = fakeSessions(session);
const as = { tenant: 'acme', user: 'ann' };
const edge = (caller: object = as) =>
  edgeUnderTest(
    (app) => {
      const route = responsesRoute({ answerInSession, answerStateless, newId: () => turnId });
      app.post('/v1/responses', route.create).get('/v1/responses/:id', route.read);
      app.delete('/v1/responses/:id', route.remove).post('/v1/responses/:id/cancel', route.cancel);
      app.get('/v1/responses/:id/input_items', route.inputItems);
    },
    { env, as: caller },
  );
const send = edge();
const expired = { ok: false as const, error: new AppError('turn_expired').toInfo() };
beforeEach(() => {
  vi.clearAllMocks();
  names.length = 0;
  session.describe.mockImplementation(async () => ({ ok: true, value: Response.json({ id }) }));
  session.attach.mockImplementation(async () => ({ ok: true, value: new Response('events') }));
  session.removeTurn.mockResolvedValue({ ok: true, value: undefined });
});
const command = () => answerInSession.mock.calls[0]?.[1];
const hello = { input: 'Hello.' };

describe('POST /v1/responses', () => {
  test('keeps the turn in a new conversation, whose id is part of the response id', async () => {
    expect(await (await send('POST', '/v1/responses', hello)).text()).toBe('session');
    expect(command()).toMatchObject({
      sessionId: `conv_${turnId}`,
      turnId,
      ownSystem: true,
      background: false,
      branch: undefined,
      wire: { kind: 'responses', stream: false, responseId: `resp_${turnId}_conv_${turnId}` },
    });
  });

  test('continues the given conversation', async () => {
    await send('POST', '/v1/responses', { ...hello, conversation: 's1', background: true });
    expect(command()).toMatchObject({ sessionId: 's1', background: true, wire: { responseId: id } });
  });

  test('continues after the given response', async () => {
    await send('POST', '/v1/responses', { ...hello, previous_response_id: `resp_${older}_s1` });
    expect(command()).toMatchObject({ sessionId: 's1', branch: { kind: 'after-turn', turnId: older } });
  });

  test('uses the session of an idempotency key', async () => {
    await send('POST', '/v1/responses', hello, { 'idempotency-key': 'k' });
    expect(command()?.sessionId).toMatch(/^conv_[0-9a-f]{32}$/);
    expect(command()?.sessionId).not.toBe(`conv_${turnId}`);
    expect(command()).toMatchObject({ ownSystem: true, idempotency: { key: 'k' } });
  });

  test('with store false keeps nothing, except for an idempotency key', async () => {
    expect(await (await send('POST', '/v1/responses', { ...hello, store: false })).text()).toBe('stateless');
    expect(answerInSession).not.toHaveBeenCalled();
    await send('POST', '/v1/responses', { ...hello, store: false }, { 'idempotency-key': 'k' });
    expect(command()).toMatchObject({ alone: true });
    expect(command()).not.toHaveProperty('ownSystem');
  });

  test('after a response with a foreign id returns 404 and names the field', async () => {
    const response = await send('POST', '/v1/responses', { ...hello, previous_response_id: 'resp_x' });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      error: { code: 'response_not_found', param: 'previous_response_id' },
    });
  });
});

describe('a response', () => {
  const wire = { kind: 'responses', stream: false, responseId: id, echo: {} };

  test('is read from the caller’s own session', async () => {
    expect(await (await send('GET', `/v1/responses/${id}`)).json()).toEqual({ id });
    expect(session.describe.mock.calls).toEqual([[turnId, wire]]);
    expect(names).toEqual(['["acme","ann","s1"]']);
  });

  test.each([
    ['', -1],
    ['&starting_after=0', 0],
    ['&starting_after=12', 12],
  ])('streams with the query "%s" after event %i', async (query, after) => {
    expect(await (await send('GET', `/v1/responses/${id}?stream=true${query}`)).text()).toBe('events');
    expect(session.attach.mock.calls).toEqual([[{ turnId, after, wire }]]);
  });

  test('is stopped, and then returned in its final state', async () => {
    const response = await send('POST', `/v1/responses/${id}/cancel`);
    expect(await response.json()).toEqual({ id });
    expect(session.stopTurn.mock.calls).toEqual([[turnId]]);
    const [first, second] = session.describe.mock.invocationCallOrder;
    const [stopped = 0] = session.stopTurn.mock.invocationCallOrder;
    expect([first ?? 0, second ?? 0]).toEqual([expect.any(Number), expect.any(Number)]);
    expect((first ?? 0) < stopped && stopped < (second ?? 0)).toBe(true);
  });

  test('is deleted', async () => {
    const response = await send('DELETE', `/v1/responses/${id}`);
    expect(await response.json()).toEqual({ id, object: 'response', deleted: true });
    expect(session.removeTurn.mock.calls).toEqual([[turnId]]);
  });

  test('lists its input, including calls and their results', async () => {
    const call = { id: 'c1', type: 'function' as const, function: { name: 'f', arguments: '{}' } };
    session.question.mockResolvedValue({
      ok: true,
      value: [
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'c1', content: '42' },
        { role: 'user', content: 'Go on.' },
      ],
    });
    const list = await (await send('GET', `/v1/responses/${id}/input_items`)).json();
    expect(list).toEqual({
      object: 'list',
      data: [
        {
          id: `fc_${turnId}_0_0`,
          type: 'function_call',
          status: 'completed',
          call_id: 'c1',
          name: 'f',
          arguments: '{}',
        },
        {
          id: `fco_${turnId}_1`,
          type: 'function_call_output',
          status: 'completed',
          call_id: 'c1',
          output: '42',
        },
        {
          id: `msg_${turnId}_2`,
          type: 'message',
          role: 'user',
          status: 'completed',
          content: [{ type: 'input_text', text: 'Go on.' }],
        },
      ],
      first_id: `fc_${turnId}_0_0`,
      last_id: `msg_${turnId}_2`,
      has_more: false,
    });
  });

  test('lists input in the forms of the Responses API, not of Chat Completions', async () => {
    const image = { url: 'https://a.test/cat.png', detail: 'low' };
    const inline = { url: 'data:image/png;base64,AA==' };
    session.question.mockResolvedValue({
      ok: true,
      value: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'image_url', image_url: image },
            { type: 'image_url', image_url: inline },
            { type: 'file', file: { file_id: 'file_1' } },
            { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'A cat.' },
            { type: 'refusal', refusal: 'No more.' },
          ],
        },
        { role: 'assistant', content: 'A dog.' },
        { role: 'tool', tool_call_id: 'c1', content: [{ type: 'text', text: '42' }] },
      ],
    });
    const { data } = (await (await send('GET', `/v1/responses/${id}/input_items`)).json()) as {
      data: { content?: unknown; output?: unknown }[];
    };
    expect(data.map(({ content, output }) => content ?? output)).toEqual([
      [
        { type: 'input_text', text: 'What is this?' },
        { type: 'input_image', detail: 'low', image_url: image.url },
        { type: 'input_image', detail: 'auto', image_url: inline.url },
        { type: 'input_file', file_id: 'file_1' },
        { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
      ],
      [
        { type: 'output_text', text: 'A cat.', annotations: [] },
        { type: 'refusal', refusal: 'No more.' },
      ],
      [{ type: 'output_text', text: 'A dog.', annotations: [] }],
      [{ type: 'input_text', text: '42' }],
    ]);
  });

  test.each([
    ['GET', ''],
    ['GET', '?stream=true'],
    ['DELETE', ''],
    ['POST', '/cancel'],
    ['GET', '/input_items'],
  ])('that has expired returns 404: %s %s', async (method, rest) => {
    for (const one of Object.values(session)) one.mockResolvedValue(expired as never);
    const response = await send(method, `/v1/responses/${id}${rest}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'response_not_found' } });
  });

  test('with a foreign id reaches no session', async () => {
    expect((await send('GET', '/v1/responses/resp_x')).status).toBe(404);
    expect(names).toEqual([]);
  });

  test('of a session other than the token’s is refused', async () => {
    const bound = edge({ ...as, session: 's2' });
    const response = await bound('GET', `/v1/responses/${id}`);
    expect(response.status).toBe(403);
    expect(names).toEqual([]);
  });
});
