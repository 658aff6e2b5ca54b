/** The AI SDK's own transport, unchanged, against `/api/chat`. */
import { DefaultChatTransport, readUIMessageStream, type UIMessage, type UIMessageChunk } from 'ai';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { readAll } from '../../shared/testing/streams.ts';
import { chunk, openStream, say } from './scripted-upstream.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let transport: DefaultChatTransport<UIMessage>;
let chatId: string;
beforeAll(async () => {
  system = await startSystem();
  const headers = { authorization: `Bearer ${await system.token()}` };
  transport = new DefaultChatTransport({ api: `${system.address}/api/chat`, headers });
});
afterAll(() => system.stop());
beforeEach(() => {
  chatId = crypto.randomUUID();
  system.upstream.calls.length = 0;
  system.upstream.behave(say('one two three four', { paceMs: 20 }));
});

const user = (text: string): UIMessage => ({
  id: crypto.randomUUID(),
  role: 'user',
  parts: [{ type: 'text', text }],
});
const send = (messages: UIMessage[], signal?: AbortSignal) =>
  transport.sendMessages({
    chatId,
    messages,
    trigger: 'submit-message',
    messageId: undefined,
    abortSignal: signal,
  });
const resume = () => transport.reconnectToStream({ chatId });

/** What `useChat` makes of a stream. */
async function toMessage(stream: ReadableStream<UIMessageChunk>): Promise<UIMessage | undefined> {
  let message: UIMessage | undefined;
  for await (const state of readUIMessageStream({ stream })) message = state;
  return message;
}
const textOf = (message: UIMessage | undefined) =>
  message?.parts.map((part) => (part.type === 'text' ? part.text : '')).join('');

test('streams, and remembers by the chat’s id', async () => {
  const first = await toMessage(await send([user('My name is Ada.')]));
  expect(textOf(first)).toBe('one two three four');
  expect(first?.id).toMatch(/^msg_[0-9a-f]{32}$/);
  expect(first?.metadata).toMatchObject({ model: 'scripted-1', usage: { inputTokens: 11, outputTokens: 7 } });
  await toMessage(await send([user('My name is Ada.'), first as UIMessage, user('Who am I?')]));
  expect(system.upstream.calls[1]?.body.messages.map(({ content }) => content)).toEqual([
    ...['My name is Ada.', 'one two three four', 'Who am I?'],
  ]);
});

test('resumes after the connection is gone: from the start, with the same message id, one model call', async () => {
  const leave = new AbortController();
  const cut = (await send([user('hi')], leave.signal)).getReader();
  const { value: start } = await cut.read();
  leave.abort();
  await cut.read().catch(() => undefined);
  const again = await resume();
  const chunks = await readAll(again as ReadableStream<UIMessageChunk>);
  expect(chunks[0]).toEqual(start);
  expect(chunks.at(-1)).toMatchObject({ type: 'finish', finishReason: 'stop' });
  expect(system.upstream.calls).toHaveLength(1);
  expect(system.upstream.calls[0]?.isAborted).toBe(false);
});

test('has nothing to resume when nothing runs', async () => {
  expect(await resume()).toBeNull();
  await readAll(await send([user('hi')]));
  expect(await resume()).toBeNull();
});

test('stops, while a reader that came back is listening', async () => {
  system.upstream.behave(say('word '.repeat(200), { paceMs: 20 }));
  const leave = new AbortController();
  const cut = (await send([user('hi')], leave.signal)).getReader();
  await cut.read();
  leave.abort();
  await cut.read().catch(() => undefined);
  const listening = readAll((await resume()) as ReadableStream<UIMessageChunk>);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const stopped = await system.request(`/v1/sessions/${chatId}/stop`, { method: 'POST' });
  expect(await stopped.json()).toMatchObject({ status: 'cancelled' });
  const chunks = await listening;
  expect(chunks.at(-1)).toMatchObject({
    type: 'finish',
    finishReason: 'interrupted',
    messageMetadata: { cancelled: true },
  });
  await system.upstream.calls[0]?.aborted;
});

test('regenerates', async () => {
  const question = user('hi');
  const first = (await toMessage(await send([question]))) as UIMessage;
  system.upstream.behave(say('Another answer.'));
  const stream = await transport.sendMessages({
    chatId,
    messages: [question],
    trigger: 'regenerate-message',
    messageId: first.id,
    abortSignal: undefined,
  });
  expect(textOf(await toMessage(stream))).toBe('Another answer.');
  expect(system.upstream.calls[1]?.body.messages).toEqual([{ role: 'user', content: 'hi' }]);
});

test('a run is taken up again at any index, exactly', async () => {
  const response = await system.request('/api/chat', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id: chatId, messages: [user('hi')] }),
  });
  const runId = response.headers.get('x-workflow-run-id');
  expect(response.headers.get('x-vercel-ai-ui-message-stream')).toBe('v1');
  const chunksOf = (text: string) => text.split('\n\n').filter((event) => event.includes('data: {'));
  const whole = chunksOf(await response.text());
  for (let index = 0; index <= whole.length; index++) {
    const rest = await system.request(`/api/chat/${runId}/stream?startIndex=${index}`);
    expect(chunksOf(await rest.text())).toEqual(whole.slice(index));
  }
});

test('tool calls come with their input', async () => {
  system.upstream.behave((_call, answer) => {
    openStream(answer);
    answer.write(
      chunk({
        tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
      }),
    );
    answer.end(`${chunk({}, 'tool_calls')}data: [DONE]\n\n`);
  });
  const chunks = await readAll(await send([user('hi')]));
  expect(chunks).toContainEqual({
    type: 'tool-input-available',
    toolCallId: 'c1',
    toolName: 'f',
    input: { a: 1 },
  });
});

test('wants a token, a chat and a question', async () => {
  expect((await fetch(`${system.address}/api/chat`, { method: 'POST', body: '{}' })).status).toBe(401);
  const refused = async (body: object) => {
    const response = await system.request('/api/chat', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return [response.status, ((await response.json()) as { error: { param: string } }).error.param];
  };
  expect(await refused({ messages: [user('x')] })).toEqual([400, 'id']);
  expect(await refused({ id: 'a', messages: [{ role: 'assistant', parts: [] }] })).toEqual([
    400,
    'messages[0].role',
  ]);
});
