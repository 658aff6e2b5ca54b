import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { ChatEvent } from '../../shared/model/chat-model.ts';
import { decodeSse } from '../../shared/stream/sse.ts';
import { bytesOf, readAll, streamOf } from '../../shared/testing/streams.ts';
import type { NumberedTurnEvent } from '../../shared/turn/turn-events.ts';
import { turnText, turnToolCalls } from '../../shared/turn/turn-result.ts';
import { CompletionChunkReader } from '../../shared/wire/completion-chunks.ts';
import { createChatCompletionsWire } from './chat-completions.ts';
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

const plain = createChatCompletionsWire({ includeUsage: false, ids: false, requestId: 'r1' });
const full = createChatCompletionsWire({ includeUsage: true, ids: true, requestId: 'r1' });

/** The chunks without what stands in every one of them. */
function choicesOf(turn: readonly NumberedTurnEvent[]): unknown[] {
  return encodeAll(plain, turn).flatMap((text) => {
    if (text === '') return [];
    const { id, object, created, model, ...rest } = JSON.parse(text.replace(/^data: /, ''));
    expect({ id, object, created, model }).toEqual({
      id: 'chatcmpl-t1',
      object: 'chat.completion.chunk',
      created: 1000,
      model: 'gpt',
    });
    return [rest.choices?.[0] ?? rest];
  });
}
const choice = (delta: object, more: object = {}) => ({ index: 0, delta, finish_reason: null, ...more });
const role = choice({ role: 'assistant', content: '' });
const last = (reason: string) => choice({}, { finish_reason: reason });

test('a streamed text is these bytes', () => {
  const turn = turnOf([modelStart, { type: 'text-delta', text: 'Hé\n' }, usage, turnEnd]);
  const head = '"id":"chatcmpl-t1","object":"chat.completion.chunk","created":1000,"model":"gpt"';
  const chunk = (delta: string, reason = 'null') =>
    `data: {${head},"choices":[{"index":0,"delta":${delta},"finish_reason":${reason}}]}\n\n`;
  expect(encodeAll(plain, turn)).toEqual([
    chunk('{"role":"assistant","content":""}'),
    '',
    '',
    '',
    chunk('{"content":"Hé\\n"}'),
    '',
    '',
    chunk('{}', '"stop"'),
    '',
  ]);
  expect(plain.encoder('t1').end()).toBe('data: [DONE]\n\n');
  expect(plain.streamHeaders).toEqual({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
  });
});

test('with usage and ids, each chunk has the cursor of its event, and the last one counts', () => {
  const turn = turnOf([modelStart, { type: 'text-delta', text: 'a' }, usage, turnEnd]);
  const texts = encodeAll(full, turn).filter((text) => text !== '');
  expect(texts.map((text) => text.split('\n')[0])).toEqual(['id: t1:0', 'id: t1:4', 'id: t1:7', 'id: t1:8']);
  const chunks = texts.map((text) => JSON.parse(text.split('\ndata: ')[1] ?? ''));
  expect(chunks.map((chunk) => chunk.usage)).toEqual([
    null,
    null,
    null,
    { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
  ]);
  expect(chunks.at(-1).choices).toEqual([]);
});

describe('an answer with', () => {
  test('reasoning before its text streams both', () => {
    const turn = turnOf([
      modelStart,
      { type: 'reasoning-delta', text: 'hm' },
      { type: 'text-delta', text: 'so' },
      turnEnd,
    ]);
    expect(choicesOf(turn)).toEqual([
      role,
      choice({ reasoning_content: 'hm' }),
      choice({ content: 'so' }),
      last('stop'),
    ]);
  });

  test('tool calls names each once, and numbers their arguments', () => {
    const call = (index: number, text: string, name?: string): ChatEvent => ({
      type: 'tool-call-delta',
      index,
      arguments: text,
      ...(name && { id: `call_${index}`, name }),
    });
    const turn = turnOf([
      modelStart,
      call(0, '', 'f'),
      call(1, '{', 'g'),
      call(0, '{}'),
      call(1, '}'),
      { type: 'turn-end', finishReason: 'tool_calls' },
    ]);
    const started = (index: number, name: string) =>
      choice({
        tool_calls: [{ index, id: `call_${index}`, type: 'function', function: { name, arguments: '' } }],
      });
    const piece = (index: number, text: string) =>
      choice({ tool_calls: [{ index, function: { arguments: text } }] });
    expect(choicesOf(turn)).toEqual([
      role,
      started(0, 'f'),
      started(1, 'g'),
      piece(1, '{'),
      piece(0, '{}'),
      piece(1, '}'),
      last('tool_calls'),
    ]);
  });

  test('a refusal streams it as one', () => {
    const turn = turnOf([
      modelStart,
      { type: 'refusal-delta', text: 'I ' },
      { type: 'refusal-delta', text: 'cannot.' },
      { type: 'turn-end', finishReason: 'content_filter' },
    ]);
    expect(choicesOf(turn)).toEqual([
      role,
      choice({ refusal: 'I ' }),
      choice({ refusal: 'cannot.' }),
      last('content_filter'),
    ]);
  });

  test('log probabilities and fields of its own streams them beside the text', () => {
    const logprobs = { content: [{ token: 'a', logprob: -0.1 }] };
    const turn = turnOf([
      modelStart,
      { type: 'text-delta', text: 'a', logprobs },
      { type: 'extra-delta', fields: { audio: { id: 'x' } } },
      turnEnd,
    ]);
    expect(choicesOf(turn)).toEqual([
      role,
      choice({ content: 'a' }, { logprobs }),
      choice({ audio: { id: 'x' } }),
      last('stop'),
    ]);
  });
});

describe('an answer that ends early', () => {
  test('by an error after its first words ends with OpenAI’s error, and still with [DONE]', () => {
    const turn = turnOf([
      modelStart,
      { type: 'text-delta', text: 'half' },
      { type: 'error', error: new AppError('upstream_cut').toInfo() },
    ]);
    const texts = encodeAll(plain, turn);
    expect(texts.at(-1)).toBe(
      'data: {"error":{"message":"The model broke off in the middle of its answer.","type":"server_error",' +
        '"param":null,"code":"upstream_cut","request_id":"r1"}}\n\n',
    );
    expect(texts.join('')).not.toContain('"finish_reason":"stop"');
    expect(plain.encoder('t1').end()).toBe('data: [DONE]\n\n');
  });

  test('by its user says so in its last chunk', () => {
    const turn = cancelledTurnOf([modelStart, { type: 'text-delta', text: 'half' }]);
    const chunks = encodeAll(plain, turn).filter((text) => text !== '');
    const { choices, edgewise } = JSON.parse(chunks.at(-1)?.replace(/^data: /, '') ?? '');
    expect(choices).toEqual([last('stop')]);
    expect(edgewise).toEqual({ cancelled: true });
  });

  test('by its length is no cancelled one', () => {
    const turn = turnOf([
      modelStart,
      { type: 'text-delta', text: 'half' },
      { type: 'turn-end', finishReason: 'length' },
    ]);
    expect(choicesOf(turn).at(-1)).toEqual(last('length'));
    expect(encodeAll(plain, turn).join('')).not.toContain('cancelled');
  });
});

test('the state that its client keeps comes with the end, whether or not usage was asked for', () => {
  const turn = turnOf([modelStart, { type: 'text-delta', text: 'a' }, turnEnd]);
  const end = turn.at(-1)?.event;
  if (end?.type === 'turn-end')
    end.receipt = {
      rounds: 1,
      roundsDropped: 2,
      tokens: 30,
      encoding: 'o200k_base',
      summary: false,
      state: 's',
    };
  const chunk = JSON.parse(
    encodeAll(plain, turn)
      .at(-1)
      ?.replace(/^data: /, '') ?? '',
  );
  expect(chunk.choices).toEqual([]);
  expect(chunk.usage).toBeUndefined();
  expect(chunk.edgewise).toEqual({
    context: { rounds: 1, rounds_dropped: 2, tokens: 30, encoding: 'o200k_base', summary: false },
    state: 's',
  });
});

test('a whole answer is one object', () => {
  const turn = turnOf([
    modelStart,
    { type: 'reasoning-delta', text: 'hm' },
    { type: 'tool-call-delta', index: 0, id: 'call_0', name: 'f', arguments: '{}' },
    { type: 'usage', usage: { inputTokens: 3, outputTokens: 4, cachedInputTokens: 2, estimated: true } },
    { type: 'turn-end', finishReason: 'tool_calls' },
  ]);
  expect(plain.body(resultOf(turn))).toEqual({
    id: 'chatcmpl-t1',
    object: 'chat.completion',
    created: 1000,
    model: 'gpt',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: null,
          refusal: null,
          reasoning_content: 'hm',
          tool_calls: [{ id: 'call_0', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        logprobs: null,
        finish_reason: 'tool_calls',
      },
    ],
    usage: {
      prompt_tokens: 3,
      completion_tokens: 4,
      total_tokens: 7,
      prompt_tokens_details: { cached_tokens: 2 },
      estimated: true,
    },
  });
});

test('any answer is read back from its bytes, however they are cut', async () => {
  await fc.assert(
    fc.asyncProperty(anyAnswer, fc.array(fc.nat({ max: 40 }), { maxLength: 20 }), async (answer, cuts) => {
      const turn = turnOf(answer);
      const bytes = bytesOf(encodeAll(full, turn).join('') + full.encoder('t1').end());
      const pieces: Uint8Array[] = [];
      let at = 0;
      for (const length of [...cuts, bytes.length]) {
        pieces.push(bytes.slice(at, at + length));
        at += length;
      }
      const reader = new CompletionChunkReader();
      const events: ChatEvent[] = [];
      for (const { data } of await readAll(decodeSse(streamOf(pieces))))
        if (data !== '[DONE]') events.push(...reader.push(JSON.parse(data)));
      events.push(...reader.end());
      const read = resultOf(turnOf([modelStart, ...events]));
      const said = resultOf(turn);
      for (const part of ['text', 'reasoning', 'refusal'] as const)
        expect(turnText(read, part)).toBe(turnText(said, part));
      expect(turnToolCalls(read)).toEqual(turnToolCalls(said));
      expect(read.error !== undefined).toBe(said.error !== undefined);
      if (!said.error) expect(read.usage).toEqual(said.usage);
    }),
    { numRuns: 100 },
  );
});
