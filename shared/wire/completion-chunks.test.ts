import { describe, expect, test } from 'vitest';
import { type ChatEvent, isTerminal } from '../model/chat-model.ts';
import { seededRandom } from '../testing/streams.ts';
import { CompletionChunkReader } from './completion-chunks.ts';

function read(chunks: unknown[]): ChatEvent[] {
  const reader = new CompletionChunkReader();
  return [...chunks.flatMap((chunk) => reader.push(chunk)), ...reader.end()];
}
const delta = (fields: object, more: object = {}) => ({ choices: [{ index: 0, delta: fields, ...more }] });
const finish = (reason: unknown = 'stop') => delta({}, { finish_reason: reason });
const turnEnd = { type: 'turn-end', finishReason: 'stop' };
const text = (said: string) => ({ type: 'text-delta', text: said });

test('an empty first chunk, roles, empty and null contents say nothing', () => {
  const chunks = [{ choices: [], prompt_filter_results: [] }, delta({ role: 'assistant', content: '' })];
  expect(read([...chunks, delta({ content: null }), delta({ content: 'a' }), finish(), {}])).toEqual([
    text('a'),
    turnEnd,
  ]);
});

describe('usage', () => {
  const usage = (output: number) => ({
    prompt_tokens: 3,
    completion_tokens: output,
    total_tokens: 3 + output,
  });
  const counted = (outputTokens: number) => ({
    type: 'usage',
    usage: { inputTokens: 3, outputTokens, estimated: false },
  });

  test.each<[string, unknown[]]>([
    ['in a chunk of its own', [finish(), { choices: [], usage: usage(5) }]],
    ['with the finish', [{ ...finish(), usage: usage(5) }]],
    [
      'with every chunk',
      [
        { ...delta({ content: '' }), usage: usage(1) },
        { ...finish(), usage: usage(5) },
      ],
    ],
    [
      'before a null',
      [
        { ...finish(), usage: usage(5) },
        { choices: [], usage: null },
      ],
    ],
  ])('%s is reported once, before the end', (_name, chunks) => {
    expect(read(chunks)).toEqual([counted(5), turnEnd]);
  });

  test('is reported for a stream that was cut, too', () => {
    expect(read([{ ...delta({}), usage: usage(2) }])).toMatchObject([counted(2), { type: 'error' }]);
  });

  test('has the cached and the reasoning part; what is no number is NaN, which is not free', () => {
    const details = {
      prompt_tokens_details: { cached_tokens: 2 },
      completion_tokens_details: { reasoning_tokens: 4 },
    };
    expect(read([{ ...finish(), usage: { ...usage(5), ...details } }])[0]).toMatchObject({
      usage: { cachedInputTokens: 2, reasoningTokens: 4 },
    });
    expect(read([{ ...finish(), usage: { prompt_tokens: -1, completion_tokens: 'x' } }])[0]).toMatchObject({
      usage: { inputTokens: -1, outputTokens: Number.NaN },
    });
  });
});

test.each([
  ['stop', 'stop'],
  ['length', 'length'],
  ['content_filter', 'content_filter'],
  ['tool_calls', 'tool_calls'],
  ['function_call', 'tool_calls'],
  ['eos', 'stop'],
])('the finish reason %s is %s', (said, finishReason) => {
  expect(read([finish(said)])).toEqual([{ type: 'turn-end', finishReason }]);
});

test('each kind of delta has its event', () => {
  const logprobs = { content: [] };
  const events = read([
    delta({ reasoning_content: 'so ' }),
    delta({ reasoning: 'hm' }),
    delta({ content: 'a' }, { logprobs }),
    delta({ refusal: 'no' }),
    delta({ content: 'b', annotations: [1], audio: null }),
    finish(),
  ]);
  expect(events).toEqual([
    { type: 'reasoning-delta', text: 'so ' },
    { type: 'reasoning-delta', text: 'hm' },
    { ...text('a'), logprobs },
    { type: 'refusal-delta', text: 'no' },
    text('b'),
    { type: 'extra-delta', fields: { annotations: [1] } },
    turnEnd,
  ]);
});

describe('tool calls', () => {
  const call = (fields: object, name?: string, said = '') => ({
    ...fields,
    function: { arguments: said, ...(name === undefined ? {} : { name }) },
  });
  const calls = (...all: object[]) => delta({ tool_calls: all });
  /** Name and arguments of each call, by its place. */
  function gather(events: ChatEvent[]): string[] {
    const made: string[] = [];
    for (const event of events) {
      if (event.type !== 'tool-call-delta') continue;
      made[event.index] = (made[event.index] ?? `${event.id ?? '-'} ${event.name} `) + event.arguments;
    }
    return made;
  }
  const twoCalls = ['a f {"x":1}', 'b g {}'];

  test.each<[string, unknown[]]>([
    [
      'as OpenAI sends them, in pieces',
      [
        calls(call({ index: 0, id: 'a' }, 'f')),
        calls(call({ index: 0 }, undefined, '{"x"')),
        calls(call({ index: 0 }, undefined, ':1}')),
        calls(call({ index: 1, id: 'b' }, 'g')),
        calls(call({ index: 1 }, undefined, '{}')),
      ],
    ],
    [
      'interleaved, with the id and an empty name in every piece',
      [
        calls(call({ index: 0, id: 'a' }, 'f', '{"x"'), call({ index: 1, id: 'b' }, 'g')),
        calls(call({ index: 1, id: 'b' }, '', '{}'), call({ index: 0, id: 'a' }, '', ':1}')),
      ],
    ],
    ['at once', [calls(call({ index: 0, id: 'a' }, 'f', '{"x":1}'), call({ index: 1, id: 'b' }, 'g', '{}'))]],
    ['without an index', [calls(call({ id: 'a' }, 'f', '{"x":1}'), call({ id: 'b' }, 'g', '{}'))]],
    [
      'without an index, each in its chunk',
      [calls(call({ id: 'a' }, 'f', '{"x":1}')), calls(call({ id: 'b' }, 'g', '{}'))],
    ],
    [
      'without an index, in pieces',
      [
        calls(call({ id: 'a' }, 'f', '{"x"')),
        calls(call({}, undefined, ':1}')),
        calls(call({ id: 'b' }, 'g', '{}')),
      ],
    ],
    [
      'each with the same index',
      [
        calls(call({ index: 0, id: 'a' }, 'f', '{"x":1}')),
        calls(call({ index: 0, id: 'b' }, 'g', '{')),
        calls(call({ index: 0 }, undefined, '}')),
      ],
    ],
    [
      'counted from 1',
      [calls(call({ index: 1, id: 'a' }, 'f', '{"x":1}'), call({ index: 2, id: 'b' }, 'g', '{}'))],
    ],
  ])('%s', (_name, chunks) => {
    const events = read([...chunks, finish('tool_calls')]);
    expect(gather(events)).toEqual(twoCalls);
    expect(events.filter((event) => event.type === 'tool-call-delta' && event.id)).toHaveLength(2);
    expect(events.at(-1)).toEqual({ type: 'turn-end', finishReason: 'tool_calls' });
  });

  test('without ids are distinguished by their names', () => {
    const events = read([calls(call({}, 'f', '{}'), call({}, 'g', '{}')), finish('tool_calls')]);
    expect(gather(events)).toEqual(['- f {}', '- g {}']);
  });

  test('may have an object for arguments, and end with "stop"', () => {
    const chunk = calls({ id: 'a', function: { name: 'f', arguments: { x: 1 } } });
    const events = read([chunk, finish('stop')]);
    expect(gather(events)).toEqual(['a f {"x":1}']);
    expect(events.at(-1)).toMatchObject({ finishReason: 'tool_calls' });
  });
});

describe('ends with an error', () => {
  test.each<[string, unknown[], string]>([
    ['when it is cut off', [delta({ content: 'a' })], 'upstream_cut'],
    ['when nothing came', [], 'upstream_cut'],
    ['at an error object', [{ error: { message: 'at 10.0.0.1 with sk-1' } }, finish()], 'upstream_error'],
    ['at an error text', [{ error: 'at 10.0.0.1 with sk-1' }], 'upstream_error'],
    ['at a text', ['hello', finish()], 'upstream_invalid'],
    ['at null', [null], 'upstream_invalid'],
    ['at a list', [[]], 'upstream_invalid'],
  ])('%s', (_name, chunks, code) => {
    const events = read(chunks);
    expect(events.at(-1)).toMatchObject({ type: 'error', error: { code } });
    expect(JSON.stringify(events)).not.toMatch(/10\.0\.0\.1|sk-1/);
  });

  test('never more than once, whatever comes', () => {
    const pieces: unknown[] = [
      ...[null, 7, [], {}, finish(), finish(7), { error: {} }, { choices: [null] }, { choices: {} }],
      ...[delta({ content: [] }), delta({ content: 'a' }), delta({ tool_calls: [null, {}, { index: -1 }] })],
      ...[{ usage: {} }, { choices: [{ delta: 7 }] }, delta({ tool_calls: [{ index: 0.5, function: 7 }] })],
    ];
    for (let seed = 0; seed < 500; seed++) {
      const random = seededRandom(seed);
      const events = read(Array.from({ length: random(6) }, () => pieces[random(pieces.length)]));
      expect(events.filter(isTerminal), `seed ${seed}`).toHaveLength(1);
      expect(isTerminal(events.at(-1) as ChatEvent), `seed ${seed}`).toBe(true);
    }
  });

  test('and says nothing after its end', () => {
    const reader = new CompletionChunkReader();
    reader.push(finish());
    expect(reader.end()).toEqual([turnEnd]);
    expect([...reader.push(delta({ content: 'late' })), ...reader.end()]).toEqual([]);
  });
});
