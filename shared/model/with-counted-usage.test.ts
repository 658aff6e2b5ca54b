import { expect, test, vi } from 'vitest';
import { AppError } from '../errors.ts';
import { describeChatModel } from '../testing/chat-model-contract.ts';
import { modelStart, type Step, scriptedModel, textDelta, turnEnd } from '../testing/scripted-model.ts';
import { readAll } from '../testing/streams.ts';
import type { ChatEvent, Usage } from './chat-model.ts';
import { withCountedUsage } from './with-counted-usage.ts';

const request = { model: 'm', messages: [{ role: 'user' as const, content: 'four' }], params: {} };
const loadCounter = async () => (text: string) => text.length;
const counted = (steps: Step[], load = loadCounter) =>
  withCountedUsage(scriptedModel('m', steps), {
    encoding: 'o200k_base',
    loadCounter: load,
    contextLength: 200_000,
  });
const ask = (steps: Step[], load = loadCounter) =>
  readAll(counted(steps, load).stream(request, new AbortController().signal));
const call: ChatEvent = { type: 'tool-call-delta', index: 0, id: 'c', name: 'fn', arguments: '{}' };

test('an answer without usage gets one, marked as an estimate, before its end', async () => {
  const events = await ask([
    modelStart,
    textDelta('abc'),
    { type: 'reasoning-delta', text: 'hm' },
    call,
    turnEnd,
  ]);
  expect(events.at(-1)).toEqual(turnEnd);
  expect(events.at(-2)).toEqual({
    type: 'usage',
    // 3 for the reply, and for the message 3, its role and its text.
    usage: { inputTokens: 3 + 3 + 4 + 4, outputTokens: 3 + 2 + 4, estimated: true },
  });
});

test('an answer that was cut off has cost something, too', async () => {
  const error: ChatEvent = { type: 'error', error: new AppError('upstream_cut').toInfo() };
  const events = await ask([modelStart, textDelta('abc'), error]);
  expect(events.slice(-2)).toMatchObject([{ usage: { outputTokens: 3 } }, error]);
  expect(await ask([error])).toEqual([error]);
});

test('what the model reports stands, and no tokenizer is loaded', async () => {
  const load = vi.fn(loadCounter);
  const usage: ChatEvent = { type: 'usage', usage: { inputTokens: 1, outputTokens: 1, estimated: false } };
  expect(await ask([modelStart, usage, turnEnd], load)).toEqual([modelStart, usage, turnEnd]);
  expect(load).not.toHaveBeenCalled();
});

const report = (usage: Partial<Record<keyof Usage, unknown>>): ChatEvent => ({
  type: 'usage',
  usage: { inputTokens: 10, outputTokens: 2, estimated: false, ...usage } as Usage,
});

test.each<[string, Partial<Record<keyof Usage, unknown>>]>([
  ['are not finite', { inputTokens: Number.POSITIVE_INFINITY }],
  ['are no numbers', { inputTokens: Number.NaN }],
  ['are text', { outputTokens: '12' }],
  ['are null', { outputTokens: null }],
  ['are negative', { inputTokens: -1 }],
  ['are fractions', { outputTokens: 1.5 }],
  ['are no safe integers', { inputTokens: 1e18 }],
  ['are the largest that there are', { inputTokens: Number.MAX_VALUE }],
  ['do not fit an integer of a database', { outputTokens: 3e9 }],
  ['are more than the context', { inputTokens: 200_001 }],
  ['are more than the bytes of the request', { inputTokens: 50_000 }],
  ['are more than the bytes of the answer and hidden reasoning', { outputTokens: 40_000 }],
  ['are none for a prompt', { inputTokens: 0 }],
  ['are none for words', { outputTokens: 0 }],
  ['have more cached tokens than a context holds', { cachedInputTokens: 1e12 }],
  ['have negative reasoning', { reasoningTokens: -5 }],
])('counts that %s are replaced by ours', async (_name, usage) => {
  const events = await ask([modelStart, textDelta('abc'), report(usage), turnEnd]);
  expect(events.filter(({ type }) => type === 'usage')).toEqual([
    {
      type: 'usage',
      usage: { inputTokens: 3 + 3 + 4 + 4, outputTokens: 3, estimated: true, rejected: true },
    },
  ]);
  expect(events.at(-1)).toEqual(turnEnd);
});

test.each<[string, Partial<Usage>]>([
  ['a template around a short prompt', { inputTokens: 4000 }],
  ['hidden reasoning', { outputTokens: 30_000 }],
  ['reasoning that is counted and not shown', { outputTokens: 150_000, reasoningTokens: 149_000 }],
  ['reasoning beside the output, as xAI counts it', { outputTokens: 2, reasoningTokens: 900 }],
  ['a prompt from a cache', { inputTokens: 2000, cachedInputTokens: 1900 }],
])('counts of %s stand', async (_name, usage) => {
  const reported = report(usage);
  expect(await ask([modelStart, textDelta('abc'), reported, turnEnd])).toEqual([
    modelStart,
    textDelta('abc'),
    reported,
    turnEnd,
  ]);
});

test('tools and fields without an event of their own are counted', async () => {
  const extra: ChatEvent = { type: 'extra-delta', fields: { reasoning_details: 'long thought' } };
  const tools = [{ type: 'function', function: { name: 'f' } }];
  const model = counted([modelStart, extra, turnEnd]);
  const events = await readAll(
    model.stream({ ...request, params: { tools, temperature: 1 } }, new AbortController().signal),
  );
  expect(events.at(-2)).toMatchObject({
    usage: {
      inputTokens: 3 + 3 + 4 + 4 + JSON.stringify(tools).length,
      outputTokens: JSON.stringify(extra.fields).length,
    },
  });
});

describeChatModel('withCountedUsage', {
  answering: () => counted([modelStart, textDelta('a'), turnEnd]),
  silent: () => counted([modelStart, new Promise(() => undefined)]),
});
