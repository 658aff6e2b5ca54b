import { expect, test } from 'vitest';
import { AppError, type ErrorCode } from '../../shared/errors.ts';
import type { ChatEvent, ChatModel } from '../../shared/model/chat-model.ts';
import { describeChatModel } from '../../shared/testing/chat-model-contract.ts';
import { useFakeTimers } from '../../shared/testing/fake-timers.ts';
import { scriptedModel } from '../../shared/testing/scripted-model.ts';
import { readAll } from '../../shared/testing/streams.ts';
import { createBreaker, withBreaker } from './with-breaker.ts';

const timers = useFakeTimers();
const request = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }], params: {} };
const start: ChatEvent = { type: 'model-start', model: 'm', provider: 'test' };
const good: ChatEvent[] = [
  start,
  { type: 'text-delta', text: 'yes' },
  { type: 'turn-end', finishReason: 'stop' },
];
const bad = (code: ErrorCode): ChatEvent[] => [start, { type: 'error', error: new AppError(code).toInfo() }];

function changing() {
  let answer = good;
  let calls = 0;
  const inner: ChatModel = {
    name: 'm',
    stream: (asked, signal) => {
      calls++;
      return scriptedModel('m', answer).stream(asked, signal);
    },
  };
  const breaker = createBreaker({ failures: 3, openMs: 50 });
  const model = withBreaker(inner, breaker);
  const ask = async () => (await readAll(model.stream(request, new AbortController().signal))).at(-1);
  return {
    model,
    breaker,
    ask,
    answerWith: (events: ChatEvent[]) => {
      answer = events;
    },
    get calls() {
      return calls;
    },
  };
}

describeChatModel('a model with a breaker', {
  answering: () => withBreaker(scriptedModel('m', good), createBreaker({ failures: 3, openMs: 50 })),
});

test('opens after so many failures in a row, asks nothing while it is open, and closes after a good try', async () => {
  const upstream = changing();
  upstream.answerWith(bad('upstream_error'));
  for (let time = 0; time < 3; time++)
    expect(await upstream.ask()).toMatchObject({ error: { code: 'upstream_error' } });
  expect(upstream.breaker.state).toBe('open');
  expect(await upstream.ask()).toMatchObject({ error: { code: 'upstream_unavailable' } });
  expect(upstream.calls).toBe(3);

  await timers.advance(60);
  expect(await upstream.ask()).toMatchObject({ error: { code: 'upstream_error' } });
  expect(upstream.breaker.state).toBe('open');
  await timers.advance(60);
  upstream.answerWith(good);
  expect(await upstream.ask()).toMatchObject({ type: 'turn-end' });
  expect(upstream.breaker.state).toBe('closed');
});

test('a caller’s mistake, a quota and a stop are no failures of the model', async () => {
  const upstream = changing();
  for (const code of [
    'upstream_rejected',
    'cancelled',
    'upstream_rate_limited',
    'upstream_quota_exhausted',
    'deadline_exceeded',
  ] as const) {
    upstream.answerWith(bad(code));
    for (let time = 0; time < 4; time++) await upstream.ask();
  }
  expect(upstream.breaker.state).toBe('closed');
});

test('a reader who leaves is no failure either', async () => {
  const upstream = changing();
  for (let time = 0; time < 5; time++) {
    const reader = upstream.model.stream(request, new AbortController().signal).getReader();
    await reader.read();
    await reader.cancel();
  }
  expect(upstream.breaker.state).toBe('closed');
});
