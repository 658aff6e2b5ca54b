import { describe, expect, test } from 'vitest';
import type { ChatEvent } from '../../shared/model/chat-model.ts';
import { AnswerRecorder, type CachedAnswer, replayAnswer } from './cached-answer.ts';

const start: ChatEvent = { type: 'model-start', model: 'm', provider: 'p' };
const text = (words: string): ChatEvent => ({ type: 'text-delta', text: words });
const stop: ChatEvent = { type: 'turn-end', finishReason: 'stop' };
const usage: ChatEvent = { type: 'usage', usage: { inputTokens: 1, outputTokens: 2, estimated: false } };

function record(...events: ChatEvent[]): CachedAnswer | undefined {
  const recorder = new AnswerRecorder();
  for (const event of events) recorder.push(event);
  return recorder.answer;
}
async function replay(answer: CachedAnswer, charsPerSecond = 0, waits: number[] = []): Promise<ChatEvent[]> {
  const pace = { charsPerSecond, wait: async (ms: number) => void waits.push(ms) };
  const events: ChatEvent[] = [];
  for await (const batch of replayAnswer(answer, { outcome: 'hit' }, pace)) events.push(...batch);
  return events;
}

test('a complete answer is recorded with its pieces joined, and replayed', async () => {
  const answer = record(
    start,
    { type: 'reasoning-delta', text: 'hm' },
    text('one '),
    text('two'),
    usage,
    stop,
  );
  expect(answer?.said).toEqual([
    { type: 'reasoning-delta', text: 'hm' },
    { type: 'text-delta', text: 'one two' },
  ]);
  expect(await replay(answer as CachedAnswer)).toEqual([
    { ...start, cache: { outcome: 'hit' } },
    { type: 'reasoning-delta', text: 'hm' },
    text('one two'),
    usage,
    stop,
  ]);
});

test('log probabilities stay with their pieces', () => {
  const piece: ChatEvent = { type: 'text-delta', text: 'a', logprobs: { content: [] } };
  expect(record(start, piece, piece, stop)?.said).toHaveLength(2);
});

test('a pace splits the text between characters, not within one', async () => {
  const waits: number[] = [];
  const answer = record(start, text('😀'.repeat(100)), stop) as CachedAnswer;
  const pieces = (await replay(answer, 48, waits)).flatMap((event) =>
    event.type === 'text-delta' ? [event.text] : [],
  );
  expect(pieces.length).toBeGreaterThan(3);
  expect(pieces.join('')).toBe('😀'.repeat(100));
  for (const piece of pieces) expect(piece.isWellFormed()).toBe(true);
  expect(waits.reduce((sum, ms) => sum + ms, 0)).toBeCloseTo((200 / 48) * 1000, 0);
});

describe('an answer is not kept when it', () => {
  test.each<[string, ChatEvent[]]>([
    ['is cut by its length', [start, text('a'), { type: 'turn-end', finishReason: 'length' }]],
    ['is filtered', [start, text('a'), { type: 'turn-end', finishReason: 'content_filter' }]],
    ['does not end', [start, text('a')]],
    [
      'fails',
      [start, text('a'), { type: 'error', error: { code: 'upstream_cut', message: '', retryable: true } }],
    ],
    ['calls a tool', [start, text('a'), { type: 'tool-call-delta', index: 0, arguments: '' }, stop]],
    ['is a refusal', [start, { type: 'refusal-delta', text: 'no' }, stop]],
    ['is empty', [start, usage, stop]],
    ['names no model', [text('a'), stop]],
    ['is very long', [start, text('x'.repeat(300_000)), stop]],
  ])('%s', (_name, events) => {
    expect(record(...events)).toBeUndefined();
  });
});
