import { describe, expect, test } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import { KNOWLEDGE_TOKENS } from '../../shared/wire/chat-schema.ts';
import { parseResponsesRequest } from './responses-schema.ts';

const hello = { input: 'Hello.' };
const paramsOf = (body: object) => parseResponsesRequest({ ...hello, ...body }).request.params;
const messagesOf = (input: unknown, more: object = {}) =>
  parseResponsesRequest({ input, ...more }).request.messages;

test('the least of a request asks the model that the server chooses, and keeps the turn', () => {
  expect(parseResponsesRequest(hello)).toEqual({
    request: { model: 'auto', messages: [{ role: 'user', content: 'Hello.' }], params: {} },
    stream: false,
    background: false,
    store: true,
    conversation: undefined,
    previousResponseId: undefined,
    echo: {
      model: 'auto',
      instructions: null,
      metadata: {},
      temperature: null,
      top_p: null,
      max_output_tokens: null,
      parallel_tool_calls: true,
      tool_choice: 'auto',
      tools: [],
      text: { format: { type: 'text' } },
      reasoning: null,
      background: false,
      store: true,
      previous_response_id: null,
    },
  });
});

describe('the input', () => {
  test('follows the instructions', () => {
    expect(messagesOf('Hello.', { instructions: 'Be brief.' })).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello.' },
    ]);
  });

  test('has its parts by the names of Chat Completions', () => {
    const content = [
      { type: 'input_text', text: 'a' },
      { type: 'output_text', text: 'b' },
      { type: 'input_image', image_url: 'data:x', detail: 'low' },
      { type: 'input_image', image_url: 'data:y' },
      { type: 'input_file', filename: 'a.pdf', file_data: 'x' },
      { type: 'input_audio', input_audio: { data: 'x' } },
    ];
    expect(messagesOf([{ role: 'user', content }])).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
          { type: 'image_url', image_url: { url: 'data:x', detail: 'low' } },
          { type: 'image_url', image_url: { url: 'data:y' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'x' } },
          { type: 'input_audio', input_audio: { data: 'x' } },
        ],
      },
    ]);
  });

  test('has the calls of one answer in one message, and leaves reasoning out', () => {
    const called = (id: string) => ({ type: 'function_call', call_id: id, name: 'f', arguments: '{}' });
    const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } });
    expect(
      messagesOf([
        { type: 'reasoning', summary: [] },
        called('a'),
        called('b'),
        { type: 'function_call_output', call_id: 'a', output: '1' },
        called('c'),
      ]),
    ).toEqual([
      { role: 'assistant', content: null, tool_calls: [call('a'), call('b')] },
      { role: 'tool', tool_call_id: 'a', content: '1' },
      { role: 'assistant', content: null, tool_calls: [call('c')] },
    ]);
  });
});

describe('the parameters', () => {
  test('have the names of Chat Completions', () => {
    const format = { type: 'json_schema', name: 'n', schema: { type: 'object' }, strict: true };
    const tool = { type: 'function', name: 'f', parameters: { type: 'object' } };
    expect(
      paramsOf({
        temperature: 0,
        max_output_tokens: 5,
        reasoning: { effort: 'low' },
        text: { format },
        tools: [tool],
        tool_choice: { type: 'function', name: 'f' },
        user: 'u',
      }),
    ).toEqual({
      temperature: 0,
      max_completion_tokens: 5,
      reasoning_effort: 'low',
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'n', schema: { type: 'object' }, strict: true },
      },
      tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
      tool_choice: { type: 'function', function: { name: 'f' } },
      user: 'u',
    });
  });

  test('leave out what is null, what says nothing and what is not for the model', () => {
    expect(
      paramsOf({
        temperature: null,
        tools: [],
        text: { format: { type: 'text' } },
        metadata: { a: 'b' },
        include: ['x'],
        truncation: 'auto',
        store: true,
        stream_options: {},
        knowledge: true,
      }),
    ).toEqual({});
  });

  test('of no schema are JSON alone', () => {
    expect(paramsOf({ text: { format: { type: 'json_object' } } })).toEqual({
      response_format: { type: 'json_object' },
    });
  });
});

test.each([
  [true, { throughRound: 0, knowledge: true, tokens: KNOWLEDGE_TOKENS }],
  [false, { throughRound: 0, knowledge: false, tokens: 0 }],
  [null, undefined],
])('knowledge %s asks for the recall %o', (knowledge, recall) => {
  expect(parseResponsesRequest({ ...hello, knowledge }).request.recall).toEqual(recall);
});

describe('a conversation', () => {
  test.each(['c1', { id: 'c1' }])('is named by %o', (conversation) => {
    const parsed = parseResponsesRequest({ ...hello, conversation });
    expect(parsed.conversation).toBe('c1');
    expect(parsed.echo.conversation).toEqual({ id: 'c1' });
  });

  test('may go on from a message, from its beginning, or answer again without an input', () => {
    const parse = (more: object) => parseResponsesRequest({ conversation: 'c1', ...more });
    expect(parse({ ...hello, parent_id: 'm1' }).parentId).toBe('m1');
    expect(parse({ ...hello, parent_id: null }).parentId).toBeNull();
    expect(parse({ ...hello })).not.toHaveProperty('parentId');
    expect(parse({ regenerate: true })).toMatchObject({ regenerate: true, request: { messages: [] } });
    expect(parse({ regenerate: 't1' }).regenerate).toBe('t1');
    expect(parse({ ...hello, regenerate: false })).not.toHaveProperty('regenerate');
  });
});

test.each<[string, unknown, string, string | undefined]>([
  ['is no object', 'Hello.', 'invalid_type', undefined],
  ['has no input', {}, 'missing_required_parameter', 'input'],
  ['has an empty input', { input: [] }, 'invalid_value', 'input'],
  [
    'has an input of another role',
    { input: [{ role: 'tool', content: 'x' }] },
    'invalid_value',
    'input[0].role',
  ],
  ['has an empty model', { ...hello, model: '' }, 'invalid_value', 'model'],
  ['has no tokens for its answer', { ...hello, max_output_tokens: 0 }, 'invalid_value', 'max_output_tokens'],
  ['has metadata that is no text', { ...hello, metadata: { a: 1 } }, 'invalid_type', 'metadata.a'],
  [
    'has a tool of the server',
    { ...hello, tools: [{ type: 'web_search' }] },
    'unsupported_value',
    'tools[0].type',
  ],
  ['names a session that cannot be', { ...hello, conversation: 'a/b' }, 'invalid_value', 'conversation'],
  [
    'goes on from two places',
    { ...hello, conversation: 'c', previous_response_id: 'r' },
    'invalid_value',
    'previous_response_id',
  ],
  [
    'keeps nothing of a conversation',
    { ...hello, store: false, conversation: 'c' },
    'invalid_value',
    'conversation',
  ],
  [
    'keeps nothing after another response',
    { ...hello, store: false, previous_response_id: 'r' },
    'invalid_value',
    'previous_response_id',
  ],
  [
    'keeps nothing in the background',
    { ...hello, store: false, background: true },
    'invalid_value',
    'background',
  ],
  ['answers again without a conversation', { regenerate: true }, 'invalid_value', 'regenerate'],
  ['goes on from a message of no conversation', { ...hello, parent_id: 'm' }, 'invalid_value', 'parent_id'],
])('a request that %s is refused with the field at fault', (_name, body, code, param) => {
  let error: unknown;
  try {
    parseResponsesRequest(body);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(AppError);
  const { code: found, param: named } = error as AppError;
  expect([found, named]).toEqual([code, param]);
});
