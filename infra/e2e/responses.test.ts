/** OpenAI's Responses API, by the official client, against the running edge. */
import OpenAI from 'openai';
import type { ResponseStreamEvent } from 'openai/resources/responses/responses';
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
  system.upstream.behave(say('one two three four', { paceMs: 10 }));
});

async function collect(stream: AsyncIterable<ResponseStreamEvent>): Promise<ResponseStreamEvent[]> {
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}
const sent = () => system.upstream.calls.at(-1)?.body.messages.map(({ role, content }) => [role, content]);

test('create, and retrieve', async () => {
  const response = await client.responses.create({
    model: 'auto',
    input: 'hi',
    instructions: 'Be brief.',
    metadata: { a: 'b' },
  });
  expect(response).toMatchObject({
    object: 'response',
    status: 'completed',
    model: 'scripted-1',
    instructions: 'Be brief.',
    metadata: { a: 'b' },
    usage: { input_tokens: 11, output_tokens: 7, total_tokens: 18 },
  });
  expect(response.output_text).toBe('one two three four');
  expect(sent()).toEqual([
    ['system', 'Be brief.'],
    ['user', 'hi'],
  ]);
  expect(await client.responses.retrieve(response.id)).toEqual(response);
});

test('streamed: the events of OpenAI, numbered without a gap', async () => {
  const events = await collect(await client.responses.create({ model: 'auto', input: 'hi', stream: true }));
  expect(events.map(({ type }) => type)).toEqual([
    'response.created',
    'response.in_progress',
    'response.output_item.added',
    'response.content_part.added',
    ...Array.from({ length: 4 }, () => 'response.output_text.delta'),
    'response.output_text.done',
    'response.content_part.done',
    'response.output_item.done',
    'response.completed',
  ]);
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
});

test('the client’s own stream helper adds it up', async () => {
  const final = await client.responses.stream({ model: 'auto', input: 'hi' }).finalResponse();
  expect(final.output_text).toBe('one two three four');
});

test('retrieve with starting_after gives exactly the rest, after any event', async () => {
  const whole = await collect(
    await client.responses.create({ model: 'auto', input: 'hi', stream: true, background: true }),
  );
  const [created] = whole;
  const id = created?.type === 'response.created' ? created.response.id : '';
  for (let after = 0; after < whole.length; after++) {
    const rest = await collect(await client.responses.retrieve(id, { stream: true, starting_after: after }));
    expect(rest).toEqual(whole.slice(after + 1));
  }
  expect(system.upstream.calls).toHaveLength(1);
});

test('background: answers at once, goes on, can be polled, streamed and cancelled', async () => {
  system.upstream.behave(say('word '.repeat(100), { paceMs: 10 }));
  const begun = await client.responses.create({ model: 'auto', input: 'hi', background: true });
  expect(begun.status).toBe('in_progress');
  expect(begun.output).toEqual([]);
  const stream = await client.responses.retrieve(begun.id, { stream: true });
  let seen = 0;
  for await (const event of stream) {
    if (event.type === 'response.output_text.delta' && ++seen === 3) break;
  }
  const cancelled = await client.responses.cancel(begun.id);
  expect(cancelled.status).toBe('cancelled');
  expect(cancelled.output_text).toMatch(/^word word/);
  await system.upstream.calls[0]?.aborted;
  expect((await client.responses.retrieve(begun.id)).status).toBe('cancelled');
  expect((await client.responses.cancel(begun.id)).output_text).toBe(cancelled.output_text);
});

test('previous_response_id goes on, from any response; instructions are for one turn', async () => {
  const first = await client.responses.create({
    model: 'auto',
    input: 'My name is Ada.',
    instructions: 'Be brief.',
  });
  const second = await client.responses.create({
    model: 'auto',
    input: 'And I like tea.',
    previous_response_id: first.id,
  });
  const said = ['assistant', 'one two three four'];
  expect(sent()).toEqual([['user', 'My name is Ada.'], said, ['user', 'And I like tea.']]);
  await client.responses.create({ model: 'auto', input: 'Another way.', previous_response_id: first.id });
  expect(sent()).toEqual([['user', 'My name is Ada.'], said, ['user', 'Another way.']]);
  await client.responses.create({ model: 'auto', input: 'Go on.', previous_response_id: second.id });
  expect(sent()).toEqual([
    ['user', 'My name is Ada.'],
    said,
    ['user', 'And I like tea.'],
    said,
    ['user', 'Go on.'],
  ]);
});

test('conversation names a session', async () => {
  await client.responses.create({ model: 'auto', input: 'one', conversation: 'shared' });
  await (await system.chat('two', {}, { 'x-session-id': 'shared' })).json();
  await client.responses.create({ model: 'auto', input: 'three', conversation: { id: 'shared' } });
  expect(sent()?.map(([, text]) => text)).toEqual([
    'one',
    'one two three four',
    'two',
    'one two three four',
    'three',
  ]);
});

test('store: false keeps nothing', async () => {
  const response = await client.responses.create({ model: 'auto', input: 'hi', store: false });
  expect(response.output_text).toBe('one two three four');
  await expect(client.responses.retrieve(response.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
});

test('input as a list, with images, calls and their outputs', async () => {
  const tools = [
    { type: 'function' as const, name: 'weather', parameters: { type: 'object' }, strict: null },
  ];
  const input = [
    {
      role: 'user' as const,
      content: [
        { type: 'input_text' as const, text: 'Weather?' },
        { type: 'input_image' as const, image_url: 'data:,', detail: 'low' as const },
      ],
    },
    { type: 'function_call' as const, call_id: 'c1', name: 'weather', arguments: '{}' },
    { type: 'function_call_output' as const, call_id: 'c1', output: 'rain' },
  ];
  const response = await client.responses.create({
    model: 'auto',
    input,
    tools,
    store: false,
    max_output_tokens: 50,
  });
  expect(response.status).toBe('completed');
  expect(system.upstream.calls[0]?.body).toMatchObject({
    max_completion_tokens: 50,
    tools: [{ type: 'function', function: { name: 'weather' } }],
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Weather?' },
          { type: 'image_url', image_url: { url: 'data:,', detail: 'low' } },
        ],
      },
      { role: 'assistant', tool_calls: [{ id: 'c1', function: { name: 'weather', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'c1', content: 'rain' },
    ],
  });
});

test('function calls come as items', async () => {
  system.upstream.behave((_call, answer) => {
    openStream(answer);
    answer.write(
      chunk({
        tool_calls: [{ index: 0, id: 'c9', type: 'function', function: { name: 'f', arguments: '{"a":' } }],
      }),
    );
    answer.write(chunk({ tool_calls: [{ index: 0, function: { arguments: '1}' } }] }));
    answer.end(`${chunk({}, 'tool_calls')}data: [DONE]\n\n`);
  });
  const final = await client.responses.stream({ model: 'auto', input: 'hi' }).finalResponse();
  expect(final.output).toMatchObject([
    { type: 'function_call', call_id: 'c9', name: 'f', arguments: '{"a":1}', status: 'completed' },
  ]);
});

test('input_items and delete', async () => {
  const response = await client.responses.create({ model: 'auto', input: 'hello there' });
  const items = await client.responses.inputItems.list(response.id);
  expect(items.data).toMatchObject([
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hello there' }] },
  ]);
  await client.responses.delete(response.id);
  await expect(client.responses.retrieve(response.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
});

describe('errors', () => {
  test('of the upstream end a background response as failed', async () => {
    system.upstream.behave(refuse(500, { message: 'boom' }));
    const { id } = await client.responses.create({ model: 'auto', input: 'hi', background: true });
    await expect.poll(async () => (await client.responses.retrieve(id)).status).toBe('failed');
    expect((await client.responses.retrieve(id)).error).toMatchObject({
      code: 'server_error',
      message: 'The model failed.',
    });
  });

  test.each<[string, object, string]>([
    ['no input', {}, 'input'],
    ['an unknown tool', { input: 'x', tools: [{ type: 'web_search' }] }, 'tools[0].type'],
    [
      'two places at once',
      { input: 'x', conversation: 'a', previous_response_id: 'resp_1' },
      'previous_response_id',
    ],
    ['background without a store', { input: 'x', background: true, store: false }, 'background'],
    ['an item of no kind', { input: [{ type: 'message', role: 'robot', content: 'x' }] }, 'input[0].role'],
  ])('%s', async (_name, body, param) => {
    const error = await client.responses.create(body as never).catch((thrown) => thrown);
    expect(error).toMatchObject({ status: 400, param });
  });

  test("another user's response, and what is no response at all, are not there", async () => {
    const { id } = await client.responses.create({ model: 'auto', input: 'secret' });
    const other = new OpenAI({
      baseURL: `${system.address}/v1`,
      apiKey: await system.token({ sub: 'bob' }),
      maxRetries: 0,
    });
    await expect(other.responses.retrieve(id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(other.responses.cancel(id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(other.responses.delete(id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(client.responses.retrieve('resp_nonsense')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });
});

describe('in a conversation', () => {
  const create = async (body: object) => {
    const answer = await system.request('/v1/responses', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: await answer.json() };
  };
  const history = async (conversation: string) => {
    const answer = await system.request(`/v1/sessions/${conversation}`);
    const { messages } = (await answer.json()) as {
      messages: { id: string; parent_id: string | null; role: string; turn_id: string }[];
    };
    return messages;
  };

  test('a question is edited with `parent_id`, an answer given again with `regenerate`', async () => {
    const conversation = crypto.randomUUID();
    await create({ conversation, input: 'first' });
    await create({ conversation, input: 'second' });
    await create({ conversation, input: 'other first', parent_id: null });
    expect(sent()).toEqual([['user', 'other first']]);
    const [question, answer] = await history(conversation);
    await create({ conversation, input: 'other second', parent_id: answer?.id });
    expect(sent()?.map(([, content]) => content)).toEqual(['first', 'one two three four', 'other second']);
    await create({ conversation, regenerate: question?.turn_id });
    expect(sent()).toEqual([['user', 'first']]);
    const messages = await history(conversation);
    const given = messages.filter(
      ({ parent_id: parent, role }) => parent === question?.id && role === 'assistant',
    );
    expect(given).toHaveLength(2);
    await create({ conversation, regenerate: true });
    expect(sent()).toEqual([['user', 'first']]);
  });

  test.each([
    [{ regenerate: true }, 'regenerate'],
    [{ input: 'hi', parent_id: null }, 'parent_id'],
    [{ conversation: 'c' }, 'input'],
    [{ conversation: 'c', input: 'hi', parent_id: 7 }, 'parent_id'],
  ])('%j is refused', async (body, param) => {
    expect(await create(body)).toMatchObject({ status: 400, body: { error: { param } } });
  });
});
