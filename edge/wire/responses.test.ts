import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { ChatEvent } from '../../shared/model/chat-model.ts';
import type { NumberedTurnEvent } from '../../shared/turn/turn-events.ts';
import { emptyTurnResult } from '../../shared/turn/turn-result.ts';
import { createResponsesEventEncoder, createResponsesWire, type ResponsesEvent } from './responses.ts';
import {
  anyAnswer,
  cancelledTurnOf,
  encodeAll,
  modelStart,
  resultOf,
  turnEnd,
  turnOf,
  usage,
} from './testing/turns.ts';

const options = { responseId: 'resp_1', echo: { model: 'auto', metadata: { a: 'b' } }, createdAt: 999 };
const wire = createResponsesWire(options);

function eventsOf(turn: readonly NumberedTurnEvent[]): ResponsesEvent[] {
  const encode = createResponsesEventEncoder(options);
  return turn.map(encode);
}
interface ResponseBody {
  output: { id: string; arguments?: string; content?: { text?: string; refusal?: string }[] }[];
}
const types = (turn: readonly NumberedTurnEvent[]) => eventsOf(turn).map(({ type }) => type);
const text = (said: string): ChatEvent => ({ type: 'text-delta', text: said });

test('a text is this sequence of events, each with its number', () => {
  const turn = turnOf([modelStart, text('Hé'), usage, turnEnd]);
  const place = { item_id: 'msg_t1_0', output_index: 0, content_index: 0 };
  const part = { type: 'output_text', annotations: [], logprobs: [] };
  const item = { id: 'msg_t1_0', type: 'message', role: 'assistant' };
  const response = {
    id: 'resp_1',
    object: 'response',
    created_at: 1000,
    model: 'gpt',
    metadata: { a: 'b' },
    error: null,
    incomplete_details: null,
    edgewise: { route: { place: 'core', reason: 'test' } },
  };
  const running = { ...response, status: 'in_progress', output: [], output_text: '', usage: null };
  const done = { ...item, status: 'completed', content: [{ ...part, text: 'Hé' }] };
  expect(eventsOf(turn)).toEqual([
    { type: 'response.created', response: running, sequence_number: 0 },
    { type: 'response.in_progress', response: running, sequence_number: 1 },
    {
      type: 'response.output_item.added',
      output_index: 0,
      item: { ...item, status: 'in_progress', content: [] },
      sequence_number: 2,
    },
    { type: 'response.content_part.added', ...place, part: { ...part, text: '' }, sequence_number: 3 },
    { type: 'response.output_text.delta', ...place, delta: 'Hé', logprobs: [], sequence_number: 4 },
    { type: 'response.output_text.done', ...place, text: 'Hé', logprobs: [], sequence_number: 5 },
    { type: 'response.content_part.done', ...place, part: { ...part, text: 'Hé' }, sequence_number: 6 },
    { type: 'response.output_item.done', output_index: 0, item: done, sequence_number: 7 },
    {
      type: 'response.completed',
      response: {
        ...response,
        status: 'completed',
        output: [done],
        output_text: 'Hé',
        usage: {
          input_tokens: 3,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens: 4,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: 7,
        },
      },
      sequence_number: 8,
    },
  ]);
});

test('as bytes an event names its type and its cursor, and nothing follows the last one', () => {
  const turn = turnOf([modelStart, text('Hé'), turnEnd]);
  expect(encodeAll(wire, turn)[4]).toBe(
    'event: response.output_text.delta\nid: t1:4\ndata: {"type":"response.output_text.delta",' +
      '"item_id":"msg_t1_0","output_index":0,"content_index":0,"delta":"Hé","logprobs":[],"sequence_number":4}\n\n',
  );
  expect(wire.encoder('t1').end()).toBe('');
  expect(wire.streamHeaders).toEqual({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
  });
});

test('reasoning is an item before the message', () => {
  const turn = turnOf([modelStart, { type: 'reasoning-delta', text: 'hm' }, text('so'), turnEnd]);
  expect(types(turn).slice(2, 8)).toEqual([
    'response.output_item.added',
    'response.content_part.added',
    'response.reasoning_text.delta',
    'response.reasoning_text.done',
    'response.content_part.done',
    'response.output_item.done',
  ]);
  expect(wire.body(resultOf(turn))).toMatchObject({
    output: [
      {
        id: 'rs_t1_0',
        type: 'reasoning',
        status: 'completed',
        summary: [],
        content: [{ type: 'reasoning_text', text: 'hm' }],
      },
      { id: 'msg_t1_1', type: 'message' },
    ],
    output_text: 'so',
  });
});

test('tool calls are items with their whole arguments at the end', () => {
  const turn = turnOf([
    modelStart,
    { type: 'tool-call-delta', index: 0, id: 'call_0', name: 'f', arguments: '{"a"' },
    { type: 'tool-call-delta', index: 0, arguments: ':1}' },
    { type: 'turn-end', finishReason: 'tool_calls' },
  ]);
  const item = { id: 'fc_t1_0', type: 'function_call', call_id: 'call_0', name: 'f' };
  const place = { item_id: 'fc_t1_0', output_index: 0 };
  expect(eventsOf(turn).slice(2, 7)).toEqual([
    {
      type: 'response.output_item.added',
      output_index: 0,
      item: { ...item, status: 'in_progress', arguments: '' },
      sequence_number: 2,
    },
    { type: 'response.function_call_arguments.delta', ...place, delta: '{"a"', sequence_number: 3 },
    { type: 'response.function_call_arguments.delta', ...place, delta: ':1}', sequence_number: 4 },
    {
      type: 'response.function_call_arguments.done',
      ...place,
      name: 'f',
      arguments: '{"a":1}',
      sequence_number: 5,
    },
    {
      type: 'response.output_item.done',
      output_index: 0,
      item: { ...item, status: 'completed', arguments: '{"a":1}' },
      sequence_number: 6,
    },
  ]);
});

test('a refusal is a part of the message and no output text', () => {
  const turn = turnOf([modelStart, { type: 'refusal-delta', text: 'no' }, turnEnd]);
  expect(types(turn)).toContain('response.refusal.delta');
  expect(wire.body(resultOf(turn))).toMatchObject({
    output: [{ type: 'message', content: [{ type: 'refusal', refusal: 'no' }] }],
    output_text: '',
  });
});

test('log probabilities of several pieces are one list in the whole', () => {
  const logprobs = (token: string) => ({ content: [{ token, logprob: -1 }] });
  const turn = turnOf([
    modelStart,
    { type: 'text-delta', text: 'a', logprobs: logprobs('a') },
    { type: 'text-delta', text: 'b', logprobs: logprobs('b') },
    turnEnd,
  ]);
  const events = eventsOf(turn);
  expect(events[5]?.logprobs).toEqual([{ token: 'b', logprob: -1 }]);
  expect(events[6]?.logprobs).toEqual([
    { token: 'a', logprob: -1 },
    { token: 'b', logprob: -1 },
  ]);
});

test('citations are counted from 0 and stand in the text that they are about', () => {
  const citation = (url: string) => ({ type: 'url_citation', url_citation: { url, title: url } });
  const turn = turnOf([
    modelStart,
    text('See.'),
    { type: 'extra-delta', fields: { annotations: [citation('a')] } },
    { type: 'extra-delta', fields: { annotations: [citation('b')] } },
    turnEnd,
  ]);
  const flat = (url: string) => ({ type: 'url_citation', url, title: url });
  const place = { item_id: 'msg_t1_0', output_index: 0, content_index: 0 };
  const type = 'response.output_text.annotation.added';
  expect(eventsOf(turn).slice(5, 7)).toEqual([
    { type, ...place, annotation_index: 0, annotation: flat('a'), sequence_number: 5 },
    { type, ...place, annotation_index: 1, annotation: flat('b'), sequence_number: 6 },
  ]);
  expect(wire.body(resultOf(turn))).toMatchObject({
    output: [{ content: [{ text: 'See.', annotations: [flat('a'), flat('b')] }] }],
  });
});

test('a field that is nothing of OpenAI’s is an event of our own', () => {
  const turn = turnOf([modelStart, { type: 'extra-delta', fields: { audio: 'x' } }, turnEnd]);
  expect(eventsOf(turn)[2]).toEqual({
    type: 'response.edgewise.extra',
    fields: { audio: 'x' },
    sequence_number: 2,
  });
});

describe('an answer that ends early', () => {
  test('by an error after its first words fails, and keeps them', () => {
    const turn = turnOf([
      modelStart,
      text('half'),
      { type: 'error', error: new AppError('upstream_cut').toInfo() },
    ]);
    const end = eventsOf(turn).at(-1);
    expect(end).toMatchObject({
      type: 'response.failed',
      response: {
        status: 'failed',
        output: [{ status: 'incomplete', content: [{ text: 'half' }] }],
        output_text: 'half',
        error: { code: 'server_error', message: 'The model broke off in the middle of its answer.' },
        incomplete_details: null,
        edgewise: { error: { code: 'upstream_cut', type: 'server_error', param: null } },
      },
    });
  });

  test('by a limit has the code that OpenAI has for it', () => {
    const error = new AppError('rate_limit_exceeded').toInfo();
    const turn = turnOf([modelStart, { type: 'error', error }]);
    expect(eventsOf(turn).at(-1)).toMatchObject({ response: { error: { code: 'rate_limit_exceeded' } } });
  });

  test.each(['length', 'content_filter'] as const)('by %s is incomplete, and says why', (finishReason) => {
    const turn = turnOf([modelStart, text('half'), { type: 'turn-end', finishReason }]);
    expect(eventsOf(turn).at(-1)).toMatchObject({
      type: 'response.incomplete',
      response: {
        status: 'incomplete',
        incomplete_details: { reason: finishReason === 'length' ? 'max_output_tokens' : 'content_filter' },
        output: [{ status: 'incomplete' }],
      },
    });
  });

  test('by its user is incomplete with the status cancelled', () => {
    const turn = cancelledTurnOf([modelStart, text('half')]);
    expect(eventsOf(turn).at(-1)).toMatchObject({
      type: 'response.incomplete',
      response: { status: 'cancelled', incomplete_details: null, output_text: 'half' },
    });
  });
});

test('a turn that has not begun is a response of the asked model', () => {
  expect(wire.body(emptyTurnResult())).toEqual({
    id: 'resp_1',
    object: 'response',
    created_at: 999,
    metadata: { a: 'b' },
    status: 'in_progress',
    model: 'auto',
    output: [],
    output_text: '',
    error: null,
    incomplete_details: null,
    usage: null,
  });
});

test('the deltas of any answer add up to what its last event says', () => {
  fc.assert(
    fc.property(anyAnswer, (answer) => {
      const events = eventsOf(turnOf(answer));
      const byItem = new Map<string, string>();
      for (const { type, item_id: id, delta } of events)
        if (type.endsWith('.delta')) byItem.set(String(id), (byItem.get(String(id)) ?? '') + delta);
      const response = events.at(-1)?.response as ResponseBody | undefined;
      const whole = response?.output.map(({ id, arguments: called, content }) => [
        id,
        called ?? content?.map((part) => part.text ?? part.refusal).join('') ?? '',
      ]);
      expect(whole?.filter(([, said]) => said !== '')).toEqual([...byItem].filter(([, said]) => said !== ''));
    }),
    { numRuns: 100 },
  );
});
