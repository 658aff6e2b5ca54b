import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { GenerationRequest, NumberedChatEvent } from '../../shared/protocol/generation-protocol.ts';
import { modelStart, textDelta, turnEnd } from '../../shared/testing/scripted-model.ts';
import { streamOf } from '../../shared/testing/streams.ts';
import type { Generations } from '../generations/generations.ts';
import { generationsRoute } from './generations-route.ts';
import { coreUnderTest } from './testing/core-under-test.ts';

const events: NumberedChatEvent[] = [modelStart, textDelta('Hé'), turnEnd].map((event, seq) => ({
  seq,
  event,
}));
const asText = [
  'id: 0\ndata: {"type":"model-start","model":"scripted","provider":"test"}\n\n',
  'id: 1\ndata: {"type":"text-delta","text":"Hé"}\n\n',
  'id: 2\ndata: {"type":"turn-end","finishReason":"stop"}\n\n',
];
const generations = {
  start: vi.fn<Generations['start']>(async () => streamOf(events)),
  attach: vi.fn<Generations['attach']>(async ({ user }, _id, after) => {
    if (user !== 'ann') throw new AppError('generation_not_found');
    return streamOf(events.slice(after + 1));
  }),
  cancel: vi.fn<Generations['cancel']>(async () => ({ status: 'cancelled' })),
};
const core = coreUnderTest({ generations, config: { heartbeatMs: 1000 } }, (app, services) => {
  const { start, events: read, cancel } = generationsRoute(services);
  app.post('/v1/generations', start).get('/v1/generations/:id/events', read);
  app.post('/v1/generations/:id/cancel', cancel);
});
const ann = { tenant: 'acme', user: 'ann' };
const wanted: GenerationRequest = {
  id: 'g1',
  model: 'auto',
  messages: [{ role: 'user', content: 'Hello.', name: 'ann' }],
  params: { temperature: 0 },
  detached: true,
};
const start = (change: object = {}) =>
  core.call('POST', '/v1/generations', { body: { ...wanted, ...change }, as: ann });
beforeEach(() => void vi.clearAllMocks());
afterEach(() => void vi.useRealTimers());

describe('POST /v1/generations', () => {
  test('streams the events, one SSE event each', async () => {
    const response = await start();
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.text()).toBe(asText.join(''));
    expect(generations.start.mock.calls[0]?.slice(0, 2)).toEqual([expect.objectContaining(ann), wanted]);
  });

  test('takes what is to be recalled with it', async () => {
    const recall = { sessionId: 's', throughRound: 2, knowledge: true, tokens: 500 };
    await start({ recall, background: true });
    expect(generations.start.mock.calls[0]?.[1]).toEqual({ ...wanted, recall, background: true });
  });

  test.each<[string, object, string, string]>([
    ['an id with a slash', { id: 'a/b' }, 'invalid_value', 'id'],
    ['an id of 129 characters', { id: 'x'.repeat(129) }, 'invalid_value', 'id'],
    ['no messages', { messages: undefined }, 'missing_required_parameter', 'messages'],
    ['a message without a role', { messages: [{}] }, 'missing_required_parameter', 'messages[0].role'],
    ['a detached that is no boolean', { detached: 1 }, 'invalid_type', 'detached'],
    [
      'a negative round',
      { recall: { throughRound: -1, knowledge: true, tokens: 1 } },
      'invalid_value',
      'recall.throughRound',
    ],
  ])('with %s returns 400 and names the field', async (_name, change, code, param) => {
    const response = await start(change);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code, param } });
    expect(generations.start).not.toHaveBeenCalled();
  });

  test('returns the error of a generation that does not start', async () => {
    generations.start.mockRejectedValueOnce(new AppError('core_overloaded', { retryAfterMs: 900 }));
    const response = await start();
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { code: 'core_overloaded', retryAfterMs: 900 } });
  });

  test('sends a comment after each silent interval, and none after the end', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { readable, writable } = new TransformStream<NumberedChatEvent, NumberedChatEvent>();
    const log = writable.getWriter();
    generations.start.mockResolvedValueOnce(readable);
    const reader = ((await start()).body as ReadableStream<Uint8Array>).getReader();
    const read = async () => new TextDecoder().decode((await reader.read()).value);
    const first = read();
    vi.advanceTimersByTime(1000);
    expect(await first).toBe(': ping\n');
    void log.write(events[1] as NumberedChatEvent);
    expect(await read()).toBe(asText[1]);
    void log.close();
    expect((await reader.read()).done).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('stops its heartbeat and its source when the client leaves', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const cancel = vi.fn();
    generations.start.mockResolvedValueOnce(new ReadableStream({ cancel }));
    const response = await start();
    expect(vi.getTimerCount()).toBe(1);
    await response.body?.cancel();
    expect(cancel).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('stops its heartbeat when the log fails', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    generations.start.mockResolvedValueOnce(
      new ReadableStream({
        pull() {
          throw new Error('the log is gone');
        },
      }),
    );
    const response = await start();
    await expect(response.text()).rejects.toThrow('the log is gone');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('GET /v1/generations/:id/events', () => {
  test.each([
    ['', -1],
    ['?after=-1', -1],
    ['?after=0', 0],
    ['?after=1', 1],
    ['?after=2', 2],
  ])('with the query "%s" streams what follows event %i', async (query, after) => {
    const response = await core.call('GET', `/v1/generations/g1/events${query}`, { as: ann });
    expect(await response.text()).toBe(asText.slice(after + 1).join(''));
  });

  test.each(['-2', '1.5', 'x', '1234567890123456'])('with after=%s returns 400', async (after) => {
    const response = await core.call('GET', `/v1/generations/g1/events?after=${after}`, { as: ann });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_value', param: 'after' } });
  });

  test('of another user returns 404', async () => {
    const response = await core.call('GET', '/v1/generations/g1/events', { as: { ...ann, user: 'ben' } });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'generation_not_found' } });
  });
});

test('POST /v1/generations/:id/cancel says what came first', async () => {
  const response = await core.call('POST', '/v1/generations/g1/cancel', { as: ann });
  expect(await response.json()).toEqual({ status: 'cancelled' });
  expect(generations.cancel).toHaveBeenCalledExactlyOnceWith(expect.objectContaining(ann), 'g1');
});
