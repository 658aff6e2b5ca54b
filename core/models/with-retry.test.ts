import { describe, expect, test } from 'vitest';
import { AppError, type ErrorCode } from '../../shared/errors.ts';
import type { ChatEvent, ChatModel } from '../../shared/model/chat-model.ts';
import { describeChatModel } from '../../shared/testing/chat-model-contract.ts';
import { scriptedModel } from '../../shared/testing/scripted-model.ts';
import { readAll } from '../../shared/testing/streams.ts';
import { withRetry } from './with-retry.ts';

const request = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }], params: {} };
const start: ChatEvent = { type: 'model-start', model: 'm', provider: 'test' };
const text: ChatEvent = { type: 'text-delta', text: 'yes' };
const end: ChatEvent = { type: 'turn-end', finishReason: 'stop' };
const failure = (code: ErrorCode, retryAfterMs?: number): ChatEvent => ({
  type: 'error',
  error: new AppError(code, { retryAfterMs }).toInfo(),
});

/** A model that says each of these in turn, call after call. */
function inTurn(...answers: ChatEvent[][]): ChatModel & { calls: number } {
  const model = {
    name: 'm',
    calls: 0,
    stream(asked: typeof request, signal: AbortSignal) {
      return scriptedModel('m', answers[model.calls++] ?? []).stream(asked, signal);
    },
  };
  return model;
}
async function run(model: ChatModel, signal = new AbortController().signal) {
  const waits: number[] = [];
  const options = {
    maxRetries: 2,
    maxWaitMs: 5000,
    random: () => 0.5,
    wait: async (ms: number) => void waits.push(ms),
  };
  return { events: await readAll(withRetry(model, options).stream(request, signal)), waits };
}

describeChatModel('a model that is asked again', {
  answering: () =>
    withRetry(scriptedModel('m', [start, text, end]), {
      maxRetries: 2,
      maxWaitMs: 1,
      random: Math.random,
      wait: async () => undefined,
    }),
});

test('what fails before its first word is asked again, and nobody sees it', async () => {
  const model = inTurn(
    [failure('upstream_unavailable')],
    [start, failure('upstream_overloaded')],
    [start, text, end],
  );
  const { events, waits } = await run(model);
  expect(events).toEqual([start, text, end]);
  expect(waits).toEqual([100, 200]);
});

test('so often and no oftener', async () => {
  const model = inTurn(...Array.from({ length: 9 }, () => [failure('upstream_unavailable')]));
  expect((await run(model)).events).toEqual([failure('upstream_unavailable')]);
  expect(model.calls).toBe(3);
});

describe('Retry-After', () => {
  test('is obeyed', async () => {
    const model = inTurn([failure('upstream_rate_limited', 1234)], [start, text, end]);
    const { events, waits } = await run(model);
    expect(waits).toEqual([1234]);
    expect(events.at(-1)).toEqual(end);
  });

  test('that is too long is a failure now', async () => {
    const model = inTurn([failure('upstream_rate_limited', 60_000)], [start, text, end]);
    expect((await run(model)).events).toEqual([failure('upstream_rate_limited', 60_000)]);
    expect(model.calls).toBe(1);
  });
});

test.each<ErrorCode>([
  'upstream_rejected',
  'upstream_quota_exhausted',
  'upstream_auth_failed',
  'context_length_exceeded',
])('%s is never asked again', async (code) => {
  const model = inTurn([failure(code)], [start, text, end]);
  expect((await run(model)).events).toEqual([failure(code)]);
  expect(model.calls).toBe(1);
});

test('what has said a word is never asked again', async () => {
  const model = inTurn([start, text, failure('upstream_cut')], [start, text, end]);
  expect((await run(model)).events).toEqual([start, text, failure('upstream_cut')]);
  expect(model.calls).toBe(1);
});

test('a caller who leaves while it waits is not waited for', async () => {
  const stop = new AbortController();
  const model = inTurn([failure('upstream_unavailable')], [start, text, end]);
  const retrying = withRetry(model, {
    maxRetries: 2,
    maxWaitMs: 5000,
    random: Math.random,
    wait: async () => stop.abort(),
  });
  expect(await readAll(retrying.stream(request, stop.signal))).toEqual([failure('cancelled')]);
  expect(model.calls).toBe(1);
});
