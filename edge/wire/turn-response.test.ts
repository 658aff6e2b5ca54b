import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { ChatEvent } from '../../shared/model/chat-model.ts';
import type { NumberedTurnEvent } from '../../shared/turn/turn-events.ts';
import { createChatCompletionsWire } from './chat-completions.ts';
import { encodeAll, modelStart, turnEnd, turnOf, usage } from './testing/turns.ts';
import {
  type TurnEvents,
  type TurnResponseOptions,
  toKnownResponse,
  toTurnResponse,
} from './turn-response.ts';

const wire = createChatCompletionsWire({ includeUsage: false, ids: true, requestId: 'r1' });
const onCancel = vi.fn();
const options = (more: Partial<TurnResponseOptions> = {}): TurnResponseOptions => ({
  turnId: 't1',
  wire,
  stream: true,
  after: -1,
  timings: {},
  heartbeatMs: 1000,
  onCancel,
  ...more,
});
const text = (said: string): ChatEvent => ({ type: 'text-delta', text: said });
const hello = turnOf([modelStart, text('Hel'), text('lo'), usage, turnEnd]);
const whole = [...encodeAll(wire, hello), 'data: [DONE]\n\n'].join('');
const error = (code: 'model_busy' | 'upstream_cut'): ChatEvent => ({
  type: 'error',
  error: new AppError(code, { retryAfterMs: 1500 }).toInfo(),
});

async function* inBatches(turn: readonly NumberedTurnEvent[], size: number) {
  for (let at = 0; at < turn.length; at += size) yield { events: turn.slice(at, at + size) };
}
/** A turn whose batches a test gives out one by one. */
function held() {
  const { readable, writable } = new TransformStream<{ events: NumberedTurnEvent[] }>();
  const writer = writable.getWriter();
  const turn = readable.values() as unknown as TurnEvents;
  return {
    turn,
    give: (events: NumberedTurnEvent[]) => void writer.write({ events }),
    end: () => void writer.close(),
  };
}
beforeEach(() => {
  onCancel.mockReset();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});
afterEach(() => void vi.useRealTimers());

describe('a streamed turn', () => {
  test.each([1, 2, 3, 100])('in batches of %i is the same bytes', async (size) => {
    const response = await toTurnResponse(inBatches(hello, size), options());
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(await response.text()).toBe(whole);
  });

  test('that is known whole is the same bytes', async () => {
    expect(await (await toKnownResponse(hello, options())).text()).toBe(whole);
  });

  test('from any event on is the tail of the unbroken one', async () => {
    const texts = encodeAll(wire, hello);
    for (let after = -1; after < hello.length; after++) {
      const response = await toTurnResponse(inBatches(hello, 2), options({ after }));
      const tail = [...texts.slice(after + 1), 'data: [DONE]\n\n'].join('');
      expect([after, await response.text()]).toEqual([after, tail]);
    }
  });

  test('names in its headers the model, its place, and what is left of the limits', async () => {
    const start = {
      ...modelStart,
      model: 'größe',
      cache: { outcome: 'hit', ageSeconds: 7, key: 'k' },
      limits: { requests: { limit: 10, remaining: 9, resetMs: 1000 } },
      fallback: { from: 'big', reason: 'model_busy' },
    } as ChatEvent;
    const timed = options({ headers: { 'server-timing': 'auth;dur=1.0', 'x-a': 'b' } });
    const { headers } = await toTurnResponse(inBatches(turnOf([start, text('a'), turnEnd]), 1), timed);
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-edgewise-model': 'gr??e',
      'x-edgewise-route': 'core; reason="test"',
      'x-edgewise-cache': 'hit',
      'x-edgewise-cache-key': 'k',
      age: '7',
      'x-edgewise-fallback': 'big;reason=model_busy',
      'x-ratelimit-remaining-requests': '9',
      'server-timing': 'auth;dur=1.0',
      'x-a': 'b',
    });
  });

  test('is read no further than its reader, and is notified when the reader leaves', async () => {
    let given = 0;
    async function* counted() {
      for await (const batch of inBatches(hello, 1)) {
        given++;
        yield batch;
      }
    }
    const response = await toTurnResponse(counted(), options());
    const before = given;
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await reader.cancel();
    expect(given).toBe(before);
    expect(given).toBeLessThan(hello.length);
    expect(onCancel).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a turn that fails', () => {
  test('before it says anything is an HTTP error with its time to try again', async () => {
    const failed = turnOf([modelStart, error('model_busy')]);
    for (const stream of [true, false])
      await expect(toTurnResponse(inBatches(failed, 1), options({ stream }))).rejects.toMatchObject({
        code: 'model_busy',
        retryAfterMs: 1500,
      });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('after its first word is a 200 whose stream ends with the error', async () => {
    const failed = turnOf([modelStart, text('half'), error('upstream_cut')]);
    const response = await toTurnResponse(inBatches(failed, 1), options());
    expect(response.status).toBe(200);
    const events = (await response.text()).split('\n\n');
    expect(events.at(-3)).toContain('"code":"upstream_cut"');
    expect(events.at(-2)).toBe('data: [DONE]');
  });

  test('for a reader who has a part of it is an event, even without a word', async () => {
    const failed = turnOf([modelStart, error('model_busy')]);
    const response = await toTurnResponse(inBatches(failed, 1), options({ after: 0 }));
    expect(await response.text()).toContain('"code":"model_busy"');
  });
});

describe('a turn that is silent', () => {
  test('has its headers after a heartbeat’s time, and a comment for each one more', async () => {
    const { turn, give, end } = held();
    give(hello.slice(0, 2));
    const made = vi.fn();
    const responding = toTurnResponse(turn, options());
    void responding.then(made);
    await vi.advanceTimersByTimeAsync(999);
    expect(made).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    const response = await responding;
    expect(response.status).toBe(200);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const read = async () => new TextDecoder().decode((await reader.read()).value);
    expect(await read()).toBe(encodeAll(wire, hello)[0]);
    const silent = read();
    await vi.advanceTimersByTimeAsync(1000);
    expect(await silent).toMatch(/^: ping\n/);
    give(hello.slice(2));
    end();
    expect(await read()).toBe(encodeAll(wire, hello).slice(2).join(''));
    expect(await read()).toBe('data: [DONE]\n\n');
    expect((await reader.read()).done).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a whole answer', () => {
  test('is one object with what its context was', async () => {
    const turn = structuredClone(hello);
    const last = turn.at(-1)?.event;
    if (last?.type === 'turn-end')
      last.receipt = {
        rounds: 2,
        roundsDropped: 1,
        tokens: 30,
        encoding: 'o200k_base',
        summary: false,
        state: 'sealed',
      };
    for (const response of [
      await toTurnResponse(inBatches(turn, 2), options({ stream: false })),
      await toKnownResponse(turn, options({ stream: false })),
    ]) {
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'application/json',
        'x-edgewise-context': 'rounds=2; dropped=1; tokens=30; summary=false',
        'x-edgewise-state': 'sealed',
      });
      expect(await response.json()).toMatchObject({
        id: 'chatcmpl-t1',
        choices: [{ message: { content: 'Hello' }, finish_reason: 'stop' }],
        edgewise: { state: 'sealed' },
      });
    }
  });
});
