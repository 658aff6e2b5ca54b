import { expect, test } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { ChatEvent } from '../../shared/model/chat-model.ts';
import { describeChatModel } from '../../shared/testing/chat-model-contract.ts';
import {
  modelStart,
  type Step,
  scriptedModel,
  textDelta,
  turnEnd,
} from '../../shared/testing/scripted-model.ts';
import { readAll } from '../../shared/testing/streams.ts';
import type { Quota } from '../quota/quota.ts';
import { withQuota } from './with-quota.ts';

const request = {
  model: 'm',
  messages: [{ role: 'user' as const, content: 'hi' }],
  params: { max_tokens: 10 },
};
const never = new Promise(() => undefined);
const failure = (error: AppError): ChatEvent => ({ type: 'error', error: error.toInfo() });
const usage: ChatEvent = { type: 'usage', usage: { inputTokens: 3, outputTokens: 4, estimated: false } };

function shaped(steps: readonly Step[], admit?: Quota['admit']) {
  const settled: number[] = [];
  const pauses: number[] = [];
  const quota: Quota = {
    waiting: 0,
    admit:
      admit ??
      (async () => ({ settle: (tokens) => void settled.push(tokens), block: (ms) => void pauses.push(ms) })),
  };
  const model = withQuota(scriptedModel('m', steps), {
    quota,
    scopes: [{ name: 'model:m', limits: {} }],
    tenant: 't',
    priority: 'interactive',
    untilMs: 1000,
    holdMs: 1000,
    newId: () => 'id',
  });
  return { model, settled, pauses };
}
const run = ({ model }: ReturnType<typeof shaped>) =>
  readAll(model.stream(request, new AbortController().signal));

describeChatModel('a model with a quota', {
  answering: () => shaped([modelStart, textDelta('a'), turnEnd]).model,
  silent: () => shaped([modelStart, never]).model,
});

test('an answer settles what it reports to have used', async () => {
  const call = shaped([modelStart, textDelta('a'), usage, turnEnd]);
  await run(call);
  expect(call.settled).toEqual([7]);
});

test('a refused call has used nothing', async () => {
  const call = shaped([failure(new AppError('upstream_error'))]);
  await run(call);
  expect(call.settled).toEqual([0]);
});

test.each([
  [undefined, 1000],
  [70, 70],
])('a rate limit with Retry-After %s pauses the upstream for %i ms', async (retryAfterMs, pauseMs) => {
  const call = shaped([failure(new AppError('upstream_rate_limited', { retryAfterMs }))]);
  await run(call);
  expect(call.pauses).toEqual([pauseMs]);
});

test('a reader that leaves while the call waits for its turn ends the wait', async () => {
  let given: AbortSignal | undefined;
  const call = shaped([modelStart, turnEnd], (_wanted, signal) => {
    given = signal;
    return new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(new AppError('cancelled')), { once: true }),
    );
  });
  const reader = call.model.stream(request, new AbortController().signal).getReader();
  const pending = reader.read();
  await reader.cancel();
  expect((await pending).done).toBe(true);
  expect(given?.aborted).toBe(true);
});
