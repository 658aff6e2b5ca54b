import { describe, expect, test } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { ChatEvent } from '../../shared/model/chat-model.ts';
import { describeChatModel } from '../../shared/testing/chat-model-contract.ts';
import { useFakeTimers } from '../../shared/testing/fake-timers.ts';
import { type ScriptedModel, type Step, scriptedModel } from '../../shared/testing/scripted-model.ts';
import { readAll } from '../../shared/testing/streams.ts';
import { createHedgeBudget, withHedge } from './with-hedge.ts';

const timers = useFakeTimers();
const request = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }], params: {} };
const start = (model: string): ChatEvent => ({ type: 'model-start', model, provider: 'test' });
const text = (words: string): ChatEvent => ({ type: 'text-delta', text: words });
const end: ChatEvent = { type: 'turn-end', finishReason: 'stop' };
const failure: ChatEvent = { type: 'error', error: new AppError('upstream_error').toInfo() };
const model = (name: string, ...steps: Step[]) => scriptedModel(name, steps);
const wait = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
const always = { count: () => undefined, spend: () => true };
const hedged = (first: ScriptedModel, second: ScriptedModel, budget = always) =>
  withHedge(first, second, { afterMs: 20, budget, wait });
const run = (of: ReturnType<typeof hedged>, signal = new AbortController().signal) =>
  timers.run(readAll(of.stream(request, signal)));

describeChatModel('a hedged model', {
  answering: () => hedged(model('a', start('a'), text('yes'), end), model('b', end)),
});

test('a model that is in time is asked alone', async () => {
  const second = model('b', start('b'), text('b'), end);
  expect(await run(hedged(model('a', start('a'), text('a'), 60, end), second))).toEqual([
    start('a'),
    text('a'),
    end,
  ]);
  expect(second.requests).toHaveLength(0);
});

test('one that is late loses against one that is quick, and is cancelled', async () => {
  const late = model('a', start('a'), 5000, text('a'), end);
  expect(await run(hedged(late, model('b', start('b'), text('b'), end)))).toEqual([
    start('b'),
    text('b'),
    end,
  ]);
  expect(late.aborted).toBe(1);
});

test('one that is late and still first wins, and the other is cancelled', async () => {
  const second = model('b', start('b'), 5000, text('b'), end);
  const events = await run(hedged(model('a', start('a'), 60, text('a'), end), second));
  expect(events).toEqual([start('a'), text('a'), end]);
  expect(second.aborted).toBe(1);
});

describe('failures', () => {
  test('before it is late, the first one’s is its own', async () => {
    const second = model('b', start('b'), text('b'), end);
    expect(await run(hedged(model('a', failure), second))).toEqual([failure]);
    expect(second.requests).toHaveLength(0);
  });

  test.each([
    ['the first', [start('a'), 40, failure], [start('b'), 80, text('b'), end]],
    ['the second', [start('a'), 80, text('a'), end], [failure]],
  ] as [string, Step[], Step[]][])('when %s of two fails, the other answers', async (_, one, other) => {
    const events = await run(hedged(model('a', ...one), model('b', ...other)));
    expect(events.at(-1)).toEqual(end);
  });

  test('when both fail, it is a failure', async () => {
    expect(await run(hedged(model('a', start('a'), 40, failure), model('b', failure)))).toContainEqual(
      failure,
    );
  });
});

test('a caller who leaves ends both', async () => {
  const stop = new AbortController();
  const models = [model('a', start('a'), 5000, end), model('b', start('b'), 5000, end)] as const;
  const reading = run(hedged(...models), stop.signal);
  setTimeout(() => stop.abort(), 50);
  expect((await reading).at(-1)).toMatchObject({ type: 'error', error: { code: 'cancelled' } });
  expect(models.map(({ aborted }) => aborted)).toEqual([1, 1]);
});

test('no more than two calls in a hundred are hedged', async () => {
  const budget = createHedgeBudget();
  let spent = 0;
  for (let count = 1; count <= 1000; count++) {
    budget.count();
    if (budget.spend()) spent++;
    expect(spent).toBeLessThanOrEqual(count * 0.02);
  }
  expect(spent).toBe(20);
});
