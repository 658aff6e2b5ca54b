import { describe, expect, test } from 'vitest';
import { AppError } from '../errors.ts';
import type { ChatEvent } from '../model/chat-model.ts';
import { modelStart, textDelta, turnEnd } from '../testing/scripted-model.ts';
import { seededRandom } from '../testing/streams.ts';
import type { TurnEvent } from './turn-events.ts';
import { TurnExpander } from './turn-expander.ts';
import {
  emptyTurnResult,
  foldTurnEvent,
  toAssistantMessage,
  turnText,
  turnToolCalls,
} from './turn-result.ts';

const head = { turnId: 't1', createdAt: 1, route: { place: 'core' as const, reason: 'test' } };
const usage: ChatEvent = { type: 'usage', usage: { inputTokens: 3, outputTokens: 4, estimated: false } };
const call = (index: number, text: string, name?: string): ChatEvent => ({
  type: 'tool-call-delta',
  index,
  arguments: text,
  ...(name ? { id: `call_${index}`, name } : {}),
});

function expand(events: ChatEvent[], expander = new TurnExpander(head)): TurnEvent[] {
  return events.flatMap((event) => expander.push(event));
}
function fold(events: TurnEvent[]) {
  const result = emptyTurnResult();
  for (const event of events) foldTurnEvent(result, event);
  return result;
}
const types = (events: TurnEvent[]) => events.map(({ type }) => type);

test('a text is one message, opened and closed', () => {
  const events = expand([modelStart, textDelta('He'), textDelta('llo'), usage, turnEnd]);
  expect(types(events)).toEqual([
    'turn-start',
    'turn-progress',
    'item-start',
    'part-start',
    'text-delta',
    'text-delta',
    'text-done',
    'part-done',
    'item-done',
    'turn-end',
  ]);
  expect(events.at(-2)).toMatchObject({ complete: true, finishReason: 'stop' });
  expect(events.at(-1)).toMatchObject({ status: 'completed', usage: { inputTokens: 3 } });
  expect(toAssistantMessage(fold(events))).toEqual({ role: 'assistant', content: 'Hello' });
});

test('reasoning and text are two items, and reasoning is not kept', () => {
  const events = expand([modelStart, { type: 'reasoning-delta', text: 'hm' }, textDelta('so'), turnEnd]);
  const result = fold(events);
  expect(result.items.map(({ head: { kind } }) => kind)).toEqual(['reasoning', 'message']);
  expect(turnText(result, 'reasoning')).toBe('hm');
  expect(toAssistantMessage(result)).toEqual({ role: 'assistant', content: 'so' });
});

test('tool calls may come interleaved, and with text before them', () => {
  const events = expand([
    ...[
      modelStart,
      textDelta('let me see'),
      call(0, '', 'f'),
      call(1, '{', 'g'),
      call(0, '{"a":1}'),
      call(1, '}'),
    ],
    { type: 'turn-end', finishReason: 'tool_calls' },
  ]);
  const result = fold(events);
  expect(turnToolCalls(result)).toEqual([
    { id: 'call_0', type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
    { id: 'call_1', type: 'function', function: { name: 'g', arguments: '{}' } },
  ]);
  expect(events.filter(({ type }) => type === 'item-done')).toHaveLength(3);
  expect(events.findLast(({ type }) => type === 'item-done')).toMatchObject({
    item: 2,
    finishReason: 'tool_calls',
  });
});

test('an answer without a word is an empty message', () => {
  expect(fold(expand([modelStart, turnEnd])).items).toHaveLength(1);
});

test('a cut by length is incomplete', () => {
  const events = expand([modelStart, textDelta('a'), { type: 'turn-end', finishReason: 'length' }]);
  expect(events.at(-1)).toMatchObject({ status: 'incomplete', finishReason: 'length' });
});

test('a failure ends the turn at once and keeps what was said', () => {
  const error = new AppError('upstream_cut').toInfo();
  const events = expand([
    modelStart,
    textDelta('half'),
    { type: 'error', error },
    textDelta('late'),
    turnEnd,
  ]);
  expect(events.at(-1)).toMatchObject({
    type: 'turn-end',
    status: 'failed',
    error: { code: 'upstream_cut' },
  });
  expect(toAssistantMessage(fold(events))).toEqual({ role: 'assistant', content: 'half' });
});

test('a cancelled turn keeps its text, but no tool call that was not finished', () => {
  const expander = new TurnExpander(head);
  const events = [
    ...expand([modelStart, textDelta('half'), call(0, '{"a', 'f')], expander),
    ...expander.cancel(),
  ];
  expect(events.at(-1)).toMatchObject({ status: 'cancelled', finishReason: 'stop' });
  expect(toAssistantMessage(fold(events))).toEqual({ role: 'assistant', content: 'half' });
  expect(expander.cancel()).toEqual([]);
  expect(expander.fail(new AppError('internal_error').toInfo())).toEqual([]);
});

describe('any answer', () => {
  function anyAnswer(seed: number): ChatEvent[] {
    const random = seededRandom(seed);
    const events: ChatEvent[] = [modelStart];
    const named = new Set<number>();
    for (let length = random(20); length > 0; length--) {
      const kind = random(6);
      const index = random(3);
      if (kind < 2) events.push(textDelta(`w${length}`));
      else if (kind === 2) events.push({ type: 'reasoning-delta', text: 'r' });
      else if (kind === 3) events.push({ type: 'refusal-delta', text: 'no' });
      else if (kind === 4) events.push({ type: 'extra-delta', fields: { x: length } });
      else events.push(call(index, 'a', named.has(index) ? undefined : 'f')) && named.add(index);
    }
    return [...events, usage, turnEnd];
  }

  test('has exactly one end, every item opened before it is used and closed once', () => {
    for (let seed = 0; seed < 500; seed++) {
      const events = expand(anyAnswer(seed));
      expect(
        events.filter(({ type }) => type === 'turn-end'),
        `seed ${seed}`,
      ).toHaveLength(1);
      const open = new Set<number>();
      for (const event of events) {
        if (event.type === 'item-start') open.add(event.item);
        else if ('item' in event) expect(open.has(event.item), `seed ${seed}`).toBe(true);
        if (event.type === 'item-done') open.delete(event.item);
      }
      expect(open.size).toBe(0);
    }
  });

  test('goes on after a restart as if it had never stopped, wherever it was cut', () => {
    for (let seed = 0; seed < 100; seed++) {
      const answer = anyAnswer(seed);
      const whole = expand(answer);
      for (let cut = 1; cut < answer.length - 1; cut++) {
        const before = expand(answer.slice(0, cut));
        const after = expand(answer.slice(cut), TurnExpander.restore(head, before));
        expect([...before, ...after], `seed ${seed}, cut ${cut}`).toEqual(whole);
      }
    }
  });
});
