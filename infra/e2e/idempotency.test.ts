/** `Idempotency-Key`: a request that is sent again is answered again, and asked of the model once. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readSome } from './read-stream.ts';
import { refuse, say } from './scripted-upstream.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let key: string;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());
beforeEach(() => {
  key = crypto.randomUUID();
  system.upstream.calls.length = 0;
  system.upstream.behave(say('one two three four', { paceMs: 10 }));
});

const send = (path: string, body: object, headers: Record<string, string> = {}) =>
  system.request(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key, ...headers },
    body: JSON.stringify(body),
  });
const messages = [{ role: 'user', content: 'hi' }];

describe.each<[string, string, object]>([
  ['a prompt that stands alone', '/v1/chat/completions', { messages }],
  ['a streamed prompt', '/v1/chat/completions', { messages, stream: true }],
  ['a turn of a session', '/v1/chat/completions', { messages, stream: true, session_id: 'same' }],
  ['a response', '/v1/responses', { input: 'hi' }],
  ['a streamed response', '/v1/responses', { input: 'hi', stream: true }],
  ['a response that is not stored', '/v1/responses', { input: 'hi', store: false }],
  [
    'a chat',
    '/api/chat',
    { id: 'chat', messages: [{ role: 'user', parts: [{ type: 'text', text: 'hi' }] }] },
  ],
])('%s', (_name, path, body) => {
  test('sent again gets the same bytes, and no second call', async () => {
    const first = await (await send(path, body)).text();
    const second = await send(path, body);
    expect(second.status).toBe(200);
    expect(await second.text()).toBe(first);
    expect(first).toContain('three');
    expect(system.upstream.calls).toHaveLength(1);
  });

  test('sent twice at once makes one call', async () => {
    const answers = await Promise.all([send(path, body), send(path, body), send(path, body)]);
    const [first, ...others] = await Promise.all(answers.map((answer) => answer.text()));
    for (const other of others) expect(other).toBe(first);
    expect(system.upstream.calls).toHaveLength(1);
  });

  test('with another body is 422', async () => {
    await (await send(path, body)).text();
    const other = await send(path, { ...body, temperature: 1 });
    expect(other.status).toBe(422);
    expect(await other.json()).toMatchObject({ error: { code: 'idempotency_mismatch' } });
  });
});

test('a client that lost its connection gets the whole answer when it asks again', async () => {
  await readSome(await send('/v1/chat/completions', { messages, stream: true }), 2);
  const again = await (await send('/v1/chat/completions', { messages, stream: true })).text();
  expect(again).toContain('four');
  expect(again).toContain('[DONE]');
  expect(system.upstream.calls).toHaveLength(1);
  expect(system.upstream.calls[0]?.isAborted).toBe(false);
});

test('a failure frees the key: asking again asks the model again', async () => {
  system.upstream.behave(refuse(500, { message: 'boom' }));
  expect((await send('/v1/chat/completions', { messages })).status).toBe(502);
  system.upstream.behave(say('better now'));
  expect(await (await send('/v1/chat/completions', { messages })).text()).toContain('better now');
});

test('a turn that did not get in line leaves its key free', async () => {
  const turn = async (own: string) => {
    const body = { input: `Are you there, ${own}?`, background: true, conversation: 'line' };
    return (await send('/v1/responses', body, { 'idempotency-key': own })).json();
  };
  system.upstream.behave(say('one two three four', { paceMs: 50 }));
  for (let place = 0; place < 9; place++) expect(await turn(`line-${place}`)).toHaveProperty('id');
  expect(await turn(key)).toMatchObject({ error: { code: 'session_busy' } });
  await expect.poll(() => turn(key), { timeout: 5000 }).toMatchObject({ error: null, status: 'completed' });
  expect(system.upstream.calls).toHaveLength(10);
});

test('keys of two users do not meet', async () => {
  await (await send('/v1/chat/completions', { messages })).text();
  const authorization = `Bearer ${await system.token({ sub: 'bob' })}`;
  expect((await send('/v1/chat/completions', { messages, top_p: 1 }, { authorization })).status).toBe(200);
  expect(system.upstream.calls).toHaveLength(2);
});

test('a prompt with a key is no conversation', async () => {
  const headers = { authorization: `Bearer ${await system.token({ sub: 'carol' })}` };
  await (await send('/v1/chat/completions', { messages }, headers)).text();
  expect(await (await system.request('/v1/sessions', { headers })).json()).toMatchObject({ data: [] });
});

test('a key that is no key is refused', async () => {
  key = 'x'.repeat(256);
  expect((await send('/v1/chat/completions', { messages })).status).toBe(400);
});
