/** The official client, unchanged but for its base URL, against the running edge. */
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chunk, openStream, refuse, say } from './scripted-upstream.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let client: OpenAI;
beforeAll(async () => {
  system = await startSystem();
  client = new OpenAI({ baseURL: `${system.address}/v1`, apiKey: await system.token(), maxRetries: 0 });
});
afterAll(() => system.stop());
beforeEach(() => {
  system.upstream.calls.length = 0;
  system.upstream.behave(say('Hello from the model.'));
});

const messages = [{ role: 'user' as const, content: 'hi' }];

test('create', async () => {
  const completion = await client.chat.completions.create({ model: 'auto', messages });
  expect(completion.choices[0]?.message.content).toBe('Hello from the model.');
  expect(completion.usage).toEqual({ prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 });
});

test('create, streamed', async () => {
  const stream = await client.chat.completions.create({ model: 'smart', messages, stream: true });
  let text = '';
  for await (const piece of stream) text += piece.choices[0]?.delta.content ?? '';
  expect(text).toBe('Hello from the model.');
});

test('stream(), with usage', async () => {
  const stream = client.chat.completions.stream({
    model: 'auto',
    messages,
    stream_options: { include_usage: true },
  });
  const completion = await stream.finalChatCompletion();
  expect(completion.choices[0]?.message.content).toBe('Hello from the model.');
  expect(completion.usage?.total_tokens).toBe(18);
});

test('content in parts reaches the model as it is', async () => {
  const content = [
    { type: 'text' as const, text: 'What is this?' },
    { type: 'image_url' as const, image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' as const } },
  ];
  await client.chat.completions.create({
    model: 'auto',
    messages: [{ role: 'user', content }],
    stop: ['END'],
  });
  expect(system.upstream.calls[0]?.body).toMatchObject({
    messages: [{ role: 'user', content }],
    stop: ['END'],
  });
});

test('tools, two calls at once, streamed', async () => {
  system.upstream.behave((_call, answer) => {
    openStream(answer);
    const call = (index: number, fields: object) => chunk({ tool_calls: [{ index, ...fields }] });
    answer.write(call(0, { id: 'call_a', type: 'function', function: { name: 'weather', arguments: '' } }));
    answer.write(call(0, { function: { arguments: '{"city":' } }));
    answer.write(call(0, { function: { arguments: '"Oslo"}' } }));
    answer.write(call(1, { id: 'call_b', type: 'function', function: { name: 'time', arguments: '{}' } }));
    answer.end(`${chunk({}, 'tool_calls')}data: [DONE]\n\n`);
  });
  const tools = ['weather', 'time'].map((name) => ({
    type: 'function' as const,
    function: { name, parameters: {} },
  }));
  const completion = await client.chat.completions
    .stream({ model: 'auto', messages, tools })
    .finalChatCompletion();
  expect(completion.choices[0]).toMatchObject({
    finish_reason: 'tool_calls',
    message: {
      tool_calls: [
        { id: 'call_a', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
        { id: 'call_b', function: { name: 'time', arguments: '{}' } },
      ],
    },
  });
  expect(system.upstream.calls[0]?.body.tools).toEqual(tools);
});

test('abort reaches the model', async () => {
  system.upstream.behave(say('word '.repeat(500), { paceMs: 20 }));
  const stream = await client.chat.completions.create({ model: 'auto', messages, stream: true });
  for await (const _ of stream) break;
  const leftMs = Date.now();
  expect(((await system.upstream.calls[0]?.aborted) ?? 0) - leftMs).toBeLessThan(1000);
});

describe('errors', () => {
  test('of the token', async () => {
    const stranger = new OpenAI({ baseURL: `${system.address}/v1`, apiKey: 'nonsense', maxRetries: 0 });
    await expect(stranger.chat.completions.create({ model: 'auto', messages })).rejects.toBeInstanceOf(
      OpenAI.AuthenticationError,
    );
  });

  test('of the model name', async () => {
    const error = await client.chat.completions
      .create({ model: 'no-such-model', messages })
      .catch((thrown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({ code: 'model_not_found', param: 'model', requestID: expect.any(String) });
  });

  test('of a field', async () => {
    const error = await client.chat.completions
      .create({ model: 'auto', messages: [{ role: 'user', content: 5 as unknown as string }] })
      .catch((thrown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ code: 'invalid_type', param: 'messages[0].content' });
  });

  test('of n', async () => {
    const error = await client.chat.completions
      .create({ model: 'auto', messages, n: 2 })
      .catch((thrown) => thrown);
    expect(error).toMatchObject({ status: 400, code: 'unsupported_value', param: 'n' });
  });

  test('in mid-stream', async () => {
    system.upstream.behave((_call, answer) => {
      openStream(answer);
      answer.write(chunk({ content: 'half' }));
      setTimeout(() => answer.destroy(), 30);
    });
    const stream = await client.chat.completions.create({ model: 'auto', messages, stream: true });
    let text = '';
    const reading = (async () => {
      for await (const piece of stream) text += piece.choices[0]?.delta.content ?? '';
    })();
    await expect(reading).rejects.toMatchObject({ code: 'upstream_cut' });
    expect(text).toBe('half');
  });

  test('are retried by the client only where that can help', async () => {
    const retrying = new OpenAI({
      baseURL: `${system.address}/v1`,
      apiKey: await system.token(),
      maxRetries: 1,
    });
    system.upstream.behave(refuse(401, { message: 'no' }));
    await expect(retrying.chat.completions.create({ model: 'auto', messages })).rejects.toMatchObject({
      status: 502,
    });
    expect(system.upstream.calls).toHaveLength(1);
    system.upstream.behave(
      refuse(429, { message: 'wait', code: 'rate_limit_exceeded' }, { 'retry-after-ms': '20' }),
    );
    await expect(retrying.chat.completions.create({ model: 'auto', messages })).rejects.toMatchObject({
      status: 503,
      code: 'upstream_rate_limited',
    });
    expect(system.upstream.calls).toHaveLength(3);
  });
});

test('models.list', async () => {
  const names: string[] = [];
  for await (const model of client.models.list()) names.push(model.id);
  expect(names).toEqual(
    expect.arrayContaining(['auto', 'fast', 'smart', 'scripted-1', 'edgewise-extractive']),
  );
});
