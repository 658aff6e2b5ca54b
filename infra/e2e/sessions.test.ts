import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readEvents, readSome, textOf } from './read-stream.ts';
import { refuse, say } from './scripted-upstream.ts';
import { lacks, type RedisService, startRedis } from './services.ts';
import { type System, startSystem } from './system.ts';

let system: System;

describe('sessions in the Session object', () => {
  beforeAll(async () => {
    system = await startSystem();
  });
  afterAll(() => system.stop());
  describeSessions();
});

describe.skipIf(lacks('redis-server'))('sessions in Redis', () => {
  let redis: RedisService;
  beforeAll(async () => {
    redis = await startRedis();
    system = await startSystem({
      env: { UPSTASH_REDIS_REST_URL: redis.url, UPSTASH_REDIS_REST_TOKEN: redis.token },
    });
  });
  afterAll(async () => {
    await system.stop();
    await redis.stop();
  });
  describeSessions();

  test('are lists of JSON messages under keys that hold the tenant', async () => {
    await (await system.chat('hi', {}, { 'x-session-id': 'in-redis' })).json();
    const stored = await redis.redis.lrange('edgewise:{default:alice:in-redis}:messages', 0, -1);
    expect(stored.map((text) => JSON.parse(text).message.role)).toEqual(['user', 'assistant']);
  });
});

/** Starts the next session. */
let sessionId: string;

function describeSessions(): void {
  beforeEach(() => {
    sessionId = crypto.randomUUID();
    system.upstream.calls.length = 0;
    system.upstream.behave((call, answer) => say(`Answer ${call.body.messages.length}.`)(call, answer));
  });

  test('a second turn remembers the first', async () => {
    await turn('My name is Ada.');
    await turn('What is my name?');
    expect(sent()).toEqual([
      ['user', 'My name is Ada.'],
      ['assistant', 'Answer 1.'],
      ['user', 'What is my name?'],
    ]);
  });

  test('the body can name the session, too', async () => {
    await (await system.chat('one', { session_id: sessionId })).json();
    await turn('two');
    expect(sent().map(([, text]) => text)).toEqual(['one', 'Answer 1.', 'two']);
    expect(system.upstream.calls[0]?.body).not.toHaveProperty('session_id');
  });

  test('no more than the last 5 rounds go to the model, and the receipt says so', async () => {
    for (let round = 1; round <= 8; round++) await turn(`Message ${round}.`);
    const response = await system.chat('Message 9.', {}, { 'x-session-id': sessionId });
    expect(response.headers.get('x-edgewise-context')).toMatch(
      /^rounds=5; dropped=3; tokens=\d+; summary=false$/,
    );
    const { edgewise } = (await response.json()) as { edgewise: { context: object } };
    expect(edgewise.context).toMatchObject({
      rounds: 5,
      rounds_dropped: 3,
      encoding: 'o200k_base',
      summary: false,
    });
    expect(sent().map(([, text]) => text)).toEqual([
      ...[
        'Message 4.',
        'Answer 7.',
        'Message 5.',
        'Answer 9.',
        'Message 6.',
        'Answer 11.',
        'Message 7.',
        'Answer 11.',
      ],
      ...['Message 8.', 'Answer 11.', 'Message 9.'],
    ]);
  });

  test('no more than 2,048 tokens go to the model, whole rounds only, the system prompt always', async () => {
    const long = 'many words in a row '.repeat(120);
    await turn(`first ${long}`, [{ role: 'system', content: 'Be brief.' }]);
    await turn(`second ${long}`);
    await turn(`third ${long}`);
    await turn(`fourth ${long}`);
    const prompt = sent();
    expect(prompt[0]).toEqual(['system', 'Be brief.']);
    expect(prompt.slice(1).map(([, text]) => text.slice(0, 6))).toEqual([
      'second',
      'Answer',
      'third ',
      'Answer',
      'fourth',
    ]);
  });

  test('a newest message that cannot fit is refused, and not stored', async () => {
    const response = await system.chat('word '.repeat(3000), {}, { 'x-session-id': sessionId });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { code: 'context_length_exceeded', param: 'messages' },
    });
    expect(system.upstream.calls).toHaveLength(0);
    expect((await system.request(`/v1/sessions/${sessionId}`)).status).toBe(404);
  });

  test('two turns at once do not interleave', async () => {
    system.upstream.behave((call, answer) => say('one two three four five', { paceMs: 20 })(call, answer));
    await Promise.all([turn('first'), turn('second'), turn('third')]);
    const roles = (await history()).map(({ role }) => role);
    expect(roles).toEqual(['user', 'assistant', 'user', 'assistant', 'user', 'assistant']);
    expect(system.upstream.calls.map(({ body }) => body.messages.length)).toEqual([1, 3, 5]);
  });

  test("the user's message is stored before the model is called, and kept when the model fails", async () => {
    let stored: unknown;
    system.upstream.behave(async (call, answer) => {
      stored = await history();
      refuse(500, { message: 'boom' })(call, answer);
    });
    const response = await system.chat('remember me', {}, { 'x-session-id': sessionId });
    expect(response.status).toBe(502);
    expect(stored).toMatchObject([{ role: 'user', content: 'remember me' }]);
    expect(await history()).toMatchObject([{ role: 'user', content: 'remember me' }]);
  });

  test('a question that is repeated after it failed stands once, and the model sees it once', async () => {
    system.upstream.behave(refuse(401, { message: 'no' }));
    for (let attempt = 0; attempt < 4; attempt++)
      expect((await system.chat('only once', {}, { 'x-session-id': sessionId })).status).toBe(502);
    expect((await system.chat('another', {}, { 'x-session-id': sessionId })).status).toBe(502);
    system.upstream.behave(say('Here it is.'));
    await (await system.chat('another', {}, { 'x-session-id': sessionId })).json();
    expect(system.upstream.calls.at(-1)?.body.messages.map(({ content }) => content)).toEqual([
      'only once',
      'another',
    ]);
    const history = await (await system.request(`/v1/sessions/${sessionId}`)).json();
    expect(history).toMatchObject({
      messages: [
        { role: 'user', content: 'only once' },
        { role: 'user', content: 'another' },
        { role: 'assistant', content: 'Here it is.' },
      ],
    });
    // A question that was answered may be asked again.
    await (await system.chat('another', {}, { 'x-session-id': sessionId })).json();
    expect(await (await system.request(`/v1/sessions/${sessionId}`)).json()).toMatchObject({
      message_count: 5,
    });
  });

  test('tool calls and their results are one round', async () => {
    system.upstream.behave((_call, answer) => {
      answer.writeHead(200, { 'content-type': 'text/event-stream' });
      const call = {
        index: 0,
        id: 'call_1',
        type: 'function',
        function: { name: 'weather', arguments: '{"city":"Oslo"}' },
      };
      const chunk = (delta: object, finish: string | null = null) =>
        `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
      answer.end(
        `${chunk({ role: 'assistant', tool_calls: [call] })}${chunk({}, 'tool_calls')}data: [DONE]\n\n`,
      );
    });
    const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];
    const first = await system.chat('Weather in Oslo?', { tools }, { 'x-session-id': sessionId });
    expect(await first.json()).toMatchObject({
      choices: [{ finish_reason: 'tool_calls', message: { content: null, tool_calls: [{ id: 'call_1' }] } }],
    });
    system.upstream.behave(say('It rains.'));
    await system.request('/v1/chat/completions', {
      method: 'POST',
      headers: { 'x-session-id': sessionId, 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'tool', tool_call_id: 'call_1', content: 'rain' }], tools }),
    });
    expect(system.upstream.calls[1]?.body.messages).toMatchObject([
      { role: 'user', content: 'Weather in Oslo?' },
      {
        role: 'assistant',
        tool_calls: [{ id: 'call_1', function: { name: 'weather', arguments: '{"city":"Oslo"}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'rain' },
    ]);
  });

  test('are listed newest first, shown, paged and deleted', async () => {
    await turn('hello');
    const list = (await (await system.request('/v1/sessions')).json()) as {
      data: { id: string; rounds: number }[];
    };
    expect(list.data[0]).toMatchObject({ id: sessionId, rounds: 1 });
    const shown = await (await system.request(`/v1/sessions/${sessionId}?limit=1`)).json();
    expect(shown).toMatchObject({
      message_count: 2,
      has_more: true,
      messages: [{ position: 2, role: 'assistant' }],
    });
    const earlier = await (await system.request(`/v1/sessions/${sessionId}?before=2`)).json();
    expect(earlier).toMatchObject({ has_more: false, messages: [{ position: 1, role: 'user' }] });
    const removed = await system.request(`/v1/sessions/${sessionId}`, { method: 'DELETE' });
    expect(await removed.json()).toEqual({ id: sessionId, object: 'session.deleted', deleted: true });
    expect((await system.request(`/v1/sessions/${sessionId}`)).status).toBe(404);
    expect((await system.request(`/v1/sessions/${sessionId}`, { method: 'DELETE' })).status).toBe(404);
    const after = (await (await system.request('/v1/sessions')).json()) as { data: { id: string }[] };
    expect(after.data.map(({ id }) => id)).not.toContain(sessionId);
  });

  test('belong to one user of one tenant', async () => {
    await turn('secret');
    for (const claims of [{ sub: 'bob' }, { tenant: 'other' }]) {
      const headers = { authorization: `Bearer ${await system.token(claims)}` };
      expect((await system.request(`/v1/sessions/${sessionId}`, { headers })).status).toBe(404);
      await (await system.chat('mine', {}, { ...headers, 'x-session-id': sessionId })).json();
      expect(sent()).toEqual([['user', 'mine']]);
      const list = (await (await system.request('/v1/sessions', { headers })).json()) as {
        data: { rounds: number }[];
      };
      expect(list.data.every(({ rounds }) => rounds === 1)).toBe(true);
    }
    expect(await history()).toHaveLength(2);
  });

  test('an answer can be given again, and a question edited: both make a branch, and history keeps both', async () => {
    await turn('one');
    await turn('two');
    system.upstream.behave(say('Another answer.'));
    const again = await system.chat('', { messages: [], regenerate: true }, { 'x-session-id': sessionId });
    expect(await again.json()).toMatchObject({ choices: [{ message: { content: 'Another answer.' } }] });
    expect(sent().map(([, text]) => text)).toEqual(['one', 'Answer 1.', 'two']);

    const [first, answer1] = await history();
    await (
      await system.chat('two, edited', { parent_id: answer1?.id }, { 'x-session-id': sessionId })
    ).json();
    expect(sent().map(([, text]) => text)).toEqual(['one', 'Answer 1.', 'two, edited']);
    await (await system.chat('one, edited', { parent_id: null }, { 'x-session-id': sessionId })).json();
    expect(sent().map(([, text]) => text)).toEqual(['one, edited']);
    await turn('three');
    expect(sent().map(([, text]) => text)).toEqual(['one, edited', 'Another answer.', 'three']);

    const all = await history();
    expect(all.map(({ content }) => content)).toEqual([
      ...['one', 'Answer 1.', 'two', 'Answer 3.', 'Another answer.', 'two, edited', 'Another answer.'],
      ...['one, edited', 'Another answer.', 'three', 'Another answer.'],
    ]);
    expect(all[4]?.parent_id).toBe(all[2]?.id);
    expect(all[5]?.parent_id).toBe(answer1?.id);
    expect(all[7]?.parent_id).toBe(first?.parent_id);
    const lost = await system.chat('x', { parent_id: 'nothing' }, { 'x-session-id': sessionId });
    expect(lost.status).toBe(404);
  });

  test('a turn goes on when its client is gone', async () => {
    system.upstream.behave(say('one two three four five', { paceMs: 30 }));
    await readSome(await system.chat('count', { stream: true }, { 'x-session-id': sessionId }), 2);
    await expect.poll(async () => (await history()).length).toBe(2);
    expect((await history())[1]).toMatchObject({ role: 'assistant', content: 'one two three four five' });
    expect(system.upstream.calls[0]?.isAborted).toBe(false);
  });

  test('stream with ids, and the session is named in a header', async () => {
    const response = await system.chat('hi', { stream: true }, { 'x-session-id': sessionId });
    expect(response.headers.get('x-session-id')).toBe(sessionId);
    const events = await readEvents(response);
    expect(textOf(events)).toBe('Answer 1.');
    const numbers = events.slice(0, -1).map(({ id }) => Number(id?.split(':')[1]));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
  });
}

async function turn(content: string, before: object[] = []): Promise<void> {
  const messages = [...before, { role: 'user', content }];
  const response = await system.chat(content, { messages }, { 'x-session-id': sessionId });
  expect(response.status).toBe(200);
  await response.json();
}

/** The newest prompt that the model got. */
function sent(): [string, string][] {
  const messages = system.upstream.calls.at(-1)?.body.messages ?? [];
  return messages.map(({ role, content }) => [role, String(content)]);
}

interface Shown {
  id: string;
  parent_id: string | null;
  role: string;
  content: string;
}

async function history(): Promise<Shown[]> {
  const response = await system.request(`/v1/sessions/${sessionId}`);
  if (response.status === 404) return [];
  return ((await response.json()) as { messages: Shown[] }).messages;
}
