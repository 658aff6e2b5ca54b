import { describe, expect, test } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { ChatEvent } from '../../shared/model/chat-model.ts';
import type { NumberedTurnEvent } from '../../shared/turn/turn-events.ts';
import { cancelledTurnOf, encodeAll, modelStart, turnEnd, turnOf, usage } from './testing/turns.ts';
import { createUiMessagesWire } from './ui-messages.ts';

const wire = createUiMessagesWire();
function chunksOf(turn: readonly NumberedTurnEvent[]): unknown[] {
  return encodeAll(wire, turn).map((text, seq) => {
    expect(text.startsWith(`id: t1:${seq}\ndata: `)).toBe(true);
    return JSON.parse(text.slice(text.indexOf('data: ') + 6));
  });
}
const start = {
  type: 'start',
  messageId: 'msg_t1',
  messageMetadata: { model: 'gpt', route: { place: 'core', reason: 'test' }, createdAt: 1000 },
};
const structure = (event: string, item: number) => ({
  type: 'data-edgewise',
  data: { event, item },
  transient: true,
});

test('the stream carries the headers of version 1, and ends with [DONE]', () => {
  expect(wire.streamHeaders).toEqual({
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache, no-transform',
    'x-vercel-ai-ui-message-stream': 'v1',
    'x-accel-buffering': 'no',
  });
  expect(wire.encoder('t1').end()).toBe('data: [DONE]\n\n');
});

test('a text is one part, and every event is exactly one chunk', () => {
  const turn = turnOf([modelStart, { type: 'text-delta', text: 'Hé' }, usage, turnEnd]);
  expect(encodeAll(wire, turn)[4]).toBe(
    'id: t1:4\ndata: {"type":"text-delta","id":"part_0","delta":"Hé"}\n\n',
  );
  expect(chunksOf(turn)).toEqual([
    start,
    { type: 'start-step' },
    structure('item-start', 0),
    { type: 'text-start', id: 'part_0' },
    { type: 'text-delta', id: 'part_0', delta: 'Hé' },
    { type: 'text-end', id: 'part_0' },
    structure('part-done', 0),
    structure('item-done', 0),
    {
      type: 'finish',
      finishReason: 'stop',
      messageMetadata: { usage: { inputTokens: 3, outputTokens: 4, estimated: false, totalTokens: 7 } },
    },
  ]);
});

test('reasoning and a refusal are parts of their own', () => {
  const turn = turnOf([
    modelStart,
    { type: 'reasoning-delta', text: 'hm' },
    { type: 'refusal-delta', text: 'no' },
    { type: 'turn-end', finishReason: 'content_filter' },
  ]);
  const chunks = chunksOf(turn) as { type: string }[];
  expect(chunks.filter(({ type }) => !/^(?:data-|start$|start-step|finish)/.test(type))).toEqual([
    { type: 'reasoning-start', id: 'part_0' },
    { type: 'reasoning-delta', id: 'part_0', delta: 'hm' },
    { type: 'reasoning-end', id: 'part_0' },
    { type: 'text-start', id: 'part_1' },
    { type: 'text-delta', id: 'part_1', delta: 'no' },
    { type: 'text-end', id: 'part_1' },
  ]);
  expect(chunks.at(-1)).toMatchObject({ finishReason: 'content-filter' });
});

describe('a tool call', () => {
  const call = (text: string): ChatEvent[] => [
    modelStart,
    { type: 'tool-call-delta', index: 0, id: 'call_0', name: 'f', arguments: text },
    { type: 'turn-end', finishReason: 'tool_calls' },
  ];
  const head = { toolCallId: 'call_0', toolName: 'f' };

  test('streams its arguments, and then has its input', () => {
    expect(chunksOf(turnOf(call('{"a":1}'))).slice(2)).toEqual([
      { type: 'tool-input-start', ...head },
      { type: 'tool-input-delta', toolCallId: 'call_0', inputTextDelta: '{"a":1}' },
      { type: 'tool-input-available', ...head, input: { a: 1 } },
      structure('item-done', 0),
      expect.objectContaining({ type: 'finish', finishReason: 'tool-calls' }),
    ]);
  });

  test('without arguments has an empty input', () => {
    expect(chunksOf(turnOf(call('')))[3]).toEqual({ type: 'tool-input-available', ...head, input: {} });
  });

  test('with arguments that are no JSON is an error of its input', () => {
    expect(chunksOf(turnOf(call('{"a')))[4]).toEqual({
      type: 'tool-input-error',
      ...head,
      input: '{"a',
      errorText: 'The arguments are not valid JSON.',
    });
  });
});

test('a citation is a source, and any other field is data that is not kept', () => {
  const citation = { type: 'url_citation', url_citation: { url: 'https://a.test', title: 'A' } };
  const turn = turnOf([
    modelStart,
    { type: 'extra-delta', fields: { annotations: [citation] } },
    { type: 'extra-delta', fields: { audio: 'x' } },
    turnEnd,
  ]);
  expect(chunksOf(turn).slice(2, 4)).toEqual([
    { type: 'source-url', sourceId: 'https://a.test', url: 'https://a.test', title: 'A' },
    { type: 'data-edgewise-extra', data: { audio: 'x' }, transient: true },
  ]);
});

describe('the end', () => {
  test('by an error after the first words is an error chunk with the public text', () => {
    const error = new AppError('upstream_cut', { cause: 'secret' }).toInfo();
    const turn = turnOf([modelStart, { type: 'text-delta', text: 'half' }, { type: 'error', error }]);
    expect(chunksOf(turn).at(-1)).toEqual({
      type: 'error',
      errorText: 'The model broke off in the middle of its answer.',
    });
  });

  test('by its user is an interruption', () => {
    const turn = cancelledTurnOf([modelStart, { type: 'text-delta', text: 'half' }]);
    expect(chunksOf(turn).at(-1)).toEqual({
      type: 'finish',
      finishReason: 'interrupted',
      messageMetadata: {
        usage: { inputTokens: 0, outputTokens: 0, estimated: true, totalTokens: 0 },
        cancelled: true,
      },
    });
  });

  test('names the model that answers instead of another', () => {
    const fallback = { from: 'big', reason: 'model_busy' };
    const turn = turnOf([{ ...modelStart, fallback } as ChatEvent, turnEnd]);
    expect(chunksOf(turn)[0]).toMatchObject({ messageMetadata: { model: 'gpt', fallback } });
  });
});
