import { expect, test, vi } from 'vitest';
import { AppError } from '../errors.ts';
import { describeChatModel } from '../testing/chat-model-contract.ts';
import { modelStart, type Step, scriptedModel, textDelta, turnEnd } from '../testing/scripted-model.ts';
import { readAll } from '../testing/streams.ts';
import type { ChatEvent } from './chat-model.ts';
import { withCountedUsage } from './with-counted-usage.ts';

const request = { model: 'm', messages: [{ role: 'user' as const, content: 'four' }], params: {} };
const loadCounter = async () => (text: string) => text.length;
const counted = (steps: Step[], load = loadCounter) =>
  withCountedUsage(scriptedModel('m', steps), 'o200k_base', load);
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

describeChatModel('withCountedUsage', {
  answering: () => counted([modelStart, textDelta('a'), turnEnd]),
  silent: () => counted([modelStart, new Promise(() => undefined)]),
});
