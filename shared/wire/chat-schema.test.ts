import { describe, expect, test } from 'vitest';
import { parseChatCompletionRequest, parseSessionId, toUpstreamBody } from './chat-schema.ts';

const messages = [{ role: 'user', content: 'hi' }];
const parse = (fields: object) => parseChatCompletionRequest({ messages, ...fields });

describe('a request', () => {
  test('needs no more than its messages', () => {
    expect(parse({})).toEqual({
      request: { model: 'auto', messages, params: {} },
      stream: false,
      includeUsage: false,
    });
  });

  test('keeps what the connection needs apart from what the model is asked', () => {
    const input = parse({
      model: 'smart',
      stream: true,
      stream_options: { include_usage: true },
      session_id: 's-1',
      n: 1,
      temperature: 0.5,
      stop: ['a', 'b'],
      seed: null,
      something_new: { deep: [1] },
    });
    expect(input).toMatchObject({ stream: true, includeUsage: true, sessionId: 's-1' });
    expect(input.request).toEqual({
      model: 'smart',
      messages,
      params: { temperature: 0.5, stop: ['a', 'b'], something_new: { deep: [1] } },
    });
  });

  test.each([
    { role: 'developer', content: 'be brief' },
    { role: 'user', content: [{ type: 'text', text: 'what is it?' }], name: 'ann' },
    { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:,' } }, { type: 'new_kind' }] },
    { role: 'assistant', content: 'sure', refusal: null, audio: { id: 'a' } },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
    },
    {
      role: 'assistant',
      tool_calls: [{ id: 'c', type: 'custom', custom: { name: 'sql', input: 'select 1' } }],
    },
    { role: 'tool', content: 'done', tool_call_id: 'c' },
    { role: 'function', content: null, name: 'f' },
  ])('takes the message %j as it is', (message) => {
    expect(parse({ messages: [message] }).request.messages).toEqual([message]);
  });

  test('takes null for absent where OpenAI does', () => {
    const input = parse({ n: null, stream: null, stream_options: null, session_id: null, stop: null });
    expect(input).toEqual(parse({}));
  });

  test('cannot reach a prototype', () => {
    const body = '{"messages":[{"role":"user","content":"hi","__proto__":{"bad":1}}],"__proto__":{"bad":1}}';
    const { request } = parseChatCompletionRequest(JSON.parse(body));
    for (const made of [request.params, request.messages[0], {}]) expect(made).not.toHaveProperty('bad');
  });
});

const message = (fields: object) => ({ messages: [messages[0], fields] });

describe('a faulty request gets an error that names the field', () => {
  test.each<[unknown, string, string | undefined]>([
    [undefined, 'missing_required_parameter', undefined],
    [null, 'invalid_type', undefined],
    ['hi', 'invalid_type', undefined],
    [[], 'missing_required_parameter', 'messages'],
    [{}, 'missing_required_parameter', 'messages'],
    [{ messages: 'hi' }, 'invalid_type', 'messages'],
    [{ messages: [] }, 'invalid_value', 'messages'],
    [{ messages: [7] }, 'invalid_type', 'messages[0]'],
    [message({}), 'missing_required_parameter', 'messages[1].role'],
    [message({ role: 'robot', content: '' }), 'invalid_value', 'messages[1].role'],
    [message({ role: 'user' }), 'missing_required_parameter', 'messages[1].content'],
    [message({ role: 'user', content: null }), 'invalid_type', 'messages[1].content'],
    [message({ role: 'user', content: 7 }), 'invalid_type', 'messages[1].content'],
    [message({ role: 'user', content: [7] }), 'invalid_type', 'messages[1].content[0]'],
    [message({ role: 'user', content: [{}] }), 'missing_required_parameter', 'messages[1].content[0].type'],
    [
      message({
        role: 'user',
        content: [
          { type: 'text', text: '' },
          { type: 'text', text: 7 },
        ],
      }),
      'invalid_type',
      'messages[1].content[1].text',
    ],
    [
      message({ role: 'user', content: [{ type: 'text' }] }),
      'missing_required_parameter',
      'messages[1].content[0].text',
    ],
    [message({ role: 'tool', content: '' }), 'missing_required_parameter', 'messages[1].tool_call_id'],
    [message({ role: 'assistant', tool_calls: 7 }), 'invalid_type', 'messages[1].tool_calls'],
    [
      message({ role: 'assistant', tool_calls: [{ id: 'a', type: 'function' }] }),
      'missing_required_parameter',
      'messages[1].tool_calls[0].function',
    ],
    [
      message({
        role: 'assistant',
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: {} } }],
      }),
      'invalid_type',
      'messages[1].tool_calls[0].function.arguments',
    ],
  ])('%j: %s at %s', (body, code, param) => {
    expect(() => parseChatCompletionRequest(body)).toThrow(expect.objectContaining({ code, param }));
  });

  test.each<[object, string, string]>([
    [{ model: '' }, 'invalid_value', 'model'],
    [{ model: 7 }, 'invalid_type', 'model'],
    [{ model: 'm'.repeat(257) }, 'invalid_value', 'model'],
    [{ n: 2 }, 'unsupported_value', 'n'],
    [{ n: '1' }, 'invalid_type', 'n'],
    [{ stream: 'yes' }, 'invalid_type', 'stream'],
    [{ stream_options: { include_usage: true } }, 'invalid_value', 'stream_options'],
    [{ stream: true, stream_options: { include_usage: 1 } }, 'invalid_type', 'stream_options.include_usage'],
    [{ session_id: 'a b' }, 'invalid_value', 'session_id'],
    [{ temperature: 2.1 }, 'invalid_value', 'temperature'],
    [{ temperature: '1' }, 'invalid_type', 'temperature'],
    [{ top_p: -0.1 }, 'invalid_value', 'top_p'],
    [{ max_tokens: 0 }, 'invalid_value', 'max_tokens'],
    [{ max_completion_tokens: 1.5 }, 'invalid_value', 'max_completion_tokens'],
    [{ stop: ['a', 7] }, 'invalid_type', 'stop[1]'],
    [{ stop: ['a', 'b', 'c', 'd', 'e'] }, 'invalid_value', 'stop'],
    [{ tools: {} }, 'invalid_type', 'tools'],
    [{ tools: [{}] }, 'missing_required_parameter', 'tools[0].type'],
    [{ tool_choice: 7 }, 'invalid_type', 'tool_choice'],
  ])('%j: %s at %s', (fields, code, param) => {
    expect(() => parse(fields)).toThrow(expect.objectContaining({ code, param }));
  });

  test('in words like those of OpenAI', () => {
    expect(() => parse({ messages: [{ role: 'user', content: 7 }] })).toThrow(
      "Invalid type for 'messages[0].content': expected a string or an array, but got an integer instead.",
    );
    expect(() => parse({ n: 3 })).toThrow("Unsupported value: 'n' must be 1, but got 3.");
  });

  test('and no value of his is repeated', () => {
    const secret = 'sk-0123456789';
    for (const fields of [
      { temperature: secret },
      { messages: [{ role: secret }] },
      { session_id: `${secret} ` },
    ])
      expect(() => parse(fields)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining(secret) }),
      );
  });

  test('when it is nested deeper than 64 levels', () => {
    const nested = (levels: number) => {
      let value: unknown = 'x';
      for (let level = 0; level < levels; level++) value = [value];
      return { metadata: value };
    };
    expect(() => parse(nested(60))).not.toThrow();
    for (const levels of [65, 100_000]) {
      expect(() => parse(nested(levels))).toThrow(expect.objectContaining({ code: 'invalid_value' }));
    }
  });
});

test('a session id is 1 to 128 plain characters', () => {
  for (const id of ['a', 'A.b_c:d-9', 'x'.repeat(128)]) expect(parseSessionId(id, 'x-session-id')).toBe(id);
  for (const id of ['', 'x'.repeat(129), 'a b', 'a/b', 'a\n', 'ä']) {
    expect(() => parseSessionId(id, 'x-session-id')).toThrow(
      expect.objectContaining({ code: 'invalid_value', param: 'x-session-id' }),
    );
  }
});

test('an upstream is always asked for a stream with usage, and is sent nothing that is only ours', () => {
  const { request } = parse({ model: 'smart', session_id: 's', stream: false, top_p: 1, user: 'u' });
  expect(toUpstreamBody(request, 'gpt-x')).toEqual({
    model: 'gpt-x',
    messages,
    top_p: 1,
    user: 'u',
    stream: true,
    stream_options: { include_usage: true },
  });
});
