import { expect, test } from 'vitest';
import { describeChatModel } from '../testing/chat-model-contract.ts';
import { useFakeTimers } from '../testing/fake-timers.ts';
import { modelStart, type Step, scriptedModel, textDelta, turnEnd } from '../testing/scripted-model.ts';
import { readAll } from '../testing/streams.ts';
import { withTimeLimits } from './with-time-limits.ts';

const timers = useFakeTimers();
const limits = { connectMs: 40, firstTokenMs: 80, idleMs: 40, totalMs: 200 };
const never = new Promise(() => undefined);
const request = { model: 'm', messages: [], params: {} };

test.each<[string, Step[], string, number]>([
  ['connecting', [never], 'connect_timeout', 0],
  ['the first token', [modelStart, never], 'first_token_timeout', 1],
  ['a gap between tokens', [modelStart, textDelta('a'), never], 'idle_timeout', 2],
  [
    'the whole',
    [modelStart, ...Array.from({ length: 30 }, (): Step[] => [20, textDelta('a')]).flat()],
    'deadline_exceeded',
    5,
  ],
])('%s may not take too long', async (_name, steps, code, atLeast) => {
  const inner = scriptedModel('inner', steps);
  const { signal } = new AbortController();
  const events = await timers.run(readAll(withTimeLimits(inner, limits).stream(request, signal)));
  expect(events.at(-1)).toMatchObject({ type: 'error', error: { code } });
  expect(events.length - 1).toBeGreaterThanOrEqual(atLeast);
  await expect.poll(() => inner.aborted).toBe(1);
});

test('a slow first token is no gap', async () => {
  const inner = scriptedModel('inner', [modelStart, 60, textDelta('a'), turnEnd]);
  const { signal } = new AbortController();
  const events = await timers.run(readAll(withTimeLimits(inner, limits).stream(request, signal)));
  expect(events.at(-1)).toEqual(turnEnd);
});

describeChatModel('withTimeLimits', {
  answering: () => withTimeLimits(scriptedModel('inner', [modelStart, textDelta('a'), turnEnd]), limits),
  silent: () =>
    withTimeLimits(scriptedModel('inner', [modelStart, never]), {
      ...limits,
      firstTokenMs: 5000,
      totalMs: 5000,
    }),
});
