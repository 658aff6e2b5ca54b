import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AppError } from '../errors.ts';
import { describeChatModel } from '../testing/chat-model-contract.ts';
import { modelStart, type Step, scriptedModel, textDelta, turnEnd } from '../testing/scripted-model.ts';
import { readAll } from '../testing/streams.ts';
import type { ChatEvent, JsonObject } from './chat-model.ts';
import { requestBytes } from './request-size.ts';
import { INPUT_SLACK_TOKENS, OUTPUT_SLACK_TOKENS, type RejectedCount } from './usage-check.ts';
import { withCountedUsage } from './with-counted-usage.ts';

const request = { model: 'm', messages: [{ role: 'user' as const, content: 'four' }], params: {} };
const loadCounter = async () => (text: string) => text.length;
const rejected: RejectedCount[] = [];
const counted = (steps: Step[], load = loadCounter) =>
  withCountedUsage(scriptedModel('m', steps), {
    encoding: 'o200k_base',
    contextLength: 100_000,
    maxOutputTokens: 1000,
    loadCounter: load,
    onRejected: (count) => rejected.push(count),
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

describe('a usage that cannot be', () => {
  beforeEach(() => void rejected.splice(0));
  const own = { inputTokens: 14, outputTokens: 3, estimated: true };
  async function report(fields: object, params: JsonObject = {}, said: ChatEvent = textDelta('abc')) {
    const usage = { inputTokens: 5, outputTokens: 2, estimated: false, ...fields };
    const events = await readAll(
      counted([modelStart, said, { type: 'usage', usage }, turnEnd]).stream(
        { ...request, params },
        new AbortController().signal,
      ),
    );
    expect(events).toHaveLength(4);
    return events[2]?.type === 'usage' ? events[2].usage : undefined;
  }

  test.each([
    [1e18, 'too_large'],
    [1e308, 'too_large'],
    [3e9, 'too_large'],
    [Number.POSITIVE_INFINITY, 'malformed'],
    [Number.NaN, 'malformed'],
    [-1, 'malformed'],
    [0.5, 'malformed'],
    ['7', 'malformed'],
    [null, 'malformed'],
    [0, 'zero'],
  ])('%s is replaced by our own count, and is reported', async (tokens, fault) => {
    expect(await report({ inputTokens: tokens })).toEqual({ ...own, outputTokens: 2 });
    expect(await report({ outputTokens: tokens })).toEqual({ ...own, inputTokens: 5 });
    const said = { model: 'm', operation: 'chat', fault };
    expect(rejected).toEqual([
      { ...said, tokenType: 'input' },
      { ...said, tokenType: 'output' },
    ]);
  });

  test('is one that the bytes cannot explain: a template and thoughts can', async () => {
    const sent = requestBytes(request);
    expect((await report({ inputTokens: sent + INPUT_SLACK_TOKENS }))?.estimated).toBe(false);
    expect((await report({ inputTokens: sent + INPUT_SLACK_TOKENS + 1 }))?.estimated).toBe(true);
    const unseen = 3 + OUTPUT_SLACK_TOKENS;
    expect((await report({ outputTokens: unseen + 1000 }))?.estimated).toBe(false);
    expect((await report({ outputTokens: unseen + 1001 }))?.estimated).toBe(true);
    expect((await report({ outputTokens: unseen + 9000 }, { max_tokens: 9000 }))?.estimated).toBe(false);
    expect((await report({ outputTokens: 1e6 }, { max_tokens: 1e9 }))?.estimated).toBe(true);
    expect((await report({ outputTokens: unseen + 3000 }, { best_of: 3 }))?.estimated).toBe(false);
  });

  test('does not hide in the details', async () => {
    expect(await report({ cachedInputTokens: 6, reasoningTokens: 1e18 })).toEqual({
      ...{ inputTokens: 5, outputTokens: 2, estimated: false },
    });
    const usual = { cachedInputTokens: 4, reasoningTokens: 1 };
    expect(await report(usual)).toMatchObject(usual);
  });

  test('our own count has the tools, and what the model wrote in other fields', async () => {
    const tools = [{ type: 'function', function: { name: 'f'.repeat(1000) } }];
    const extra: ChatEvent = { type: 'extra-delta', fields: { reasoning_details: ['x'.repeat(500)] } };
    const usage = await report({ inputTokens: null, outputTokens: null }, { tools }, extra);
    expect(usage).toMatchObject({ inputTokens: 14 + JSON.stringify(tools).length, outputTokens: 504 });
  });
});

describeChatModel('withCountedUsage', {
  answering: () => counted([modelStart, textDelta('a'), turnEnd]),
  silent: () => counted([modelStart, new Promise(() => undefined)]),
});
