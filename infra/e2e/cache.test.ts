/** A question that was answered is not asked again, and nobody gets what is not theirs. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readEvents, readSome, textOf } from './read-stream.ts';
import { chunk, openStream, refuse, say } from './scripted-upstream.ts';
import { lacks, type RedisService, startRedis } from './services.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let question: string;
beforeAll(async () => {
  system = await startSystem({ env: { EDGEWISE_CACHE: 'on', EDGEWISE_CACHE_SHARED_TENANTS: 'family' } });
});
afterAll(() => system.stop());
beforeEach(() => {
  question = `question ${crypto.randomUUID()}`;
  system.upstream.calls.length = 0;
  system.upstream.behave(say('one two three', { paceMs: 5 }));
});

const cacheOf = (answer: Response) => answer.headers.get('x-edgewise-cache');
async function ask(body: object = {}, headers: Record<string, string> = {}, content = question) {
  const answer = await system.chat(content, body, headers);
  return { cache: cacheOf(answer), text: await answer.text(), age: answer.headers.get('age') };
}
const bearer = async (claims: object) => ({ authorization: `Bearer ${await system.token(claims)}` });

describe('the same question', () => {
  test('is answered once: streamed or not, with one usage', async () => {
    const whole = JSON.parse((await ask()).text);
    expect(whole.choices[0].message.content).toBe('one two three');
    const again = await ask();
    expect(again).toMatchObject({ cache: 'hit', age: '0' });
    expect(JSON.parse(again.text)).toMatchObject({
      choices: whole.choices,
      usage: whole.usage,
      model: whole.model,
    });
    const streamed = await system.chat(question, { stream: true, stream_options: { include_usage: true } });
    expect(cacheOf(streamed)).toBe('hit');
    const events = await readEvents(streamed);
    expect(textOf(events)).toBe('one two three');
    expect(JSON.parse(events.at(-2)?.data ?? '')).toMatchObject({ usage: whole.usage });
    expect(system.upstream.calls).toHaveLength(1);
  });

  test('says miss first, and names itself', async () => {
    const first = await system.chat(question);
    expect(cacheOf(first)).toBe('miss');
    const key = first.headers.get('x-edgewise-cache-key');
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    await first.text();
    expect((await system.chat(question)).headers.get('x-edgewise-cache-key')).toBe(key);
  });

  test('survives a restart of the edge', async () => {
    await ask();
    await system.killEdge();
    await system.restartEdge();
    expect((await ask()).cache).toBe('hit');
  });

  test('that begins a session is answered from the cache, as a turn like any other', async () => {
    await ask();
    const sessionId = crypto.randomUUID();
    const turn = await ask({ stream: true }, { 'x-session-id': sessionId });
    expect(turn.cache).toBe('hit');
    const id = turn.text.match(/^id: (\S+)/m)?.[1] ?? '';
    const again = await system.request(`/v1/sessions/${sessionId}/stream`, {
      headers: { 'last-event-id': id },
    });
    expect(turn.text.endsWith(await again.text())).toBe(true);
    await ask({}, { 'x-session-id': sessionId }, 'and then?');
    expect(system.upstream.calls.at(-1)?.body.messages).toHaveLength(3);
  });

  test('of a session is kept for others who ask it', async () => {
    await ask({}, { 'x-session-id': crypto.randomUUID() });
    await expect.poll(async () => (await ask()).cache).toBe('hit');
    expect(system.upstream.calls).toHaveLength(1);
  });
});

describe('at the same time', () => {
  test('50 who ask the same, half of them streaming, make one call and get equal answers', async () => {
    system.upstream.behave(say('a longer answer in several words', { paceMs: 20 }));
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => system.chat(question, { stream: index % 2 === 0 })),
    );
    const outcomes = answers.map(cacheOf);
    const texts = await Promise.all(
      answers.map(async (answer, index) =>
        index % 2 === 0
          ? textOf(await readEvents(answer))
          : ((await answer.json()) as { choices: [{ message: { content: string } }] }).choices[0].message
              .content,
      ),
    );
    expect(new Set(texts)).toEqual(new Set(['a longer answer in several words']));
    expect(system.upstream.calls).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'miss')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'coalesced')).toHaveLength(49);
  });

  test('one who joins late gets the beginning, and one who leaves takes nobody with them', async () => {
    system.upstream.behave(say('word '.repeat(40).trim(), { paceMs: 10 }));
    const leader = system.chat(question, { stream: true });
    await readSome(await leader, 5);
    // `readSome` leaves; two more had better be there by then.
    expect(system.upstream.calls).toHaveLength(1);
    const [late, later] = await Promise.all([ask({ stream: true }), ask()]);
    expect(late.text.match(/word/g)).toHaveLength(40);
    expect(later.text.match(/word/g)).toHaveLength(40);
    expect(system.upstream.calls.length).toBeLessThanOrEqual(2);
  });

  test('a leader that is killed in the middle fails nobody and costs at most one more call', async () => {
    system.upstream.behave(say('word '.repeat(40).trim(), { paceMs: 10 }));
    const leader = new AbortController();
    const leading = system.chat(question, { stream: true }, {}, leader.signal);
    const first = await leading;
    const following = Array.from({ length: 10 }, () => ask({ stream: true }));
    await expect.poll(() => system.upstream.calls.length).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    leader.abort();
    await first.text().catch(() => undefined);
    for (const { text } of await Promise.all(following)) {
      expect(text.match(/word/g)).toHaveLength(40);
      expect(text).toContain('[DONE]');
    }
    expect(system.upstream.calls.length).toBeLessThanOrEqual(2);
  });

  test('when the last reader leaves, the call ends', async () => {
    system.upstream.behave(say('word '.repeat(400), { paceMs: 10 }));
    await readSome(await system.chat(question, { stream: true }), 3);
    await expect.poll(() => system.upstream.calls[0]?.isAborted, { timeout: 2000 }).toBe(true);
  });

  test('a call that fails before it said anything is made once more for those who wait', async () => {
    system.upstream.behave(async (call, answer) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return (system.upstream.calls.length === 1 ? refuse(503, { message: 'full' }) : say('at last'))(
        call,
        answer,
      );
    });
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask()));
    expect(new Set(answers.map(({ text }) => JSON.parse(text).choices[0].message.content))).toEqual(
      new Set(['at last']),
    );
    expect(system.upstream.calls).toHaveLength(2);
  });
});

describe('no hit', () => {
  const second = async (body: object, headers: Record<string, string> = {}) => {
    const { cache } = await ask(body, headers);
    expect(cache).not.toBe('hit');
    return cache;
  };

  test('for another tenant, nor for another user of a tenant that does not share', async () => {
    await ask();
    expect(await second({}, await bearer({ tenant: 'other' }))).toBe('miss');
    expect(await second({}, await bearer({ sub: 'bob' }))).toBe('miss');
    expect(system.upstream.calls).toHaveLength(3);
  });

  test('between users, unless the tenant shares', async () => {
    await ask({}, await bearer({ tenant: 'family', sub: 'ann' }));
    expect((await ask({}, await bearer({ tenant: 'family', sub: 'ben' }))).cache).toBe('hit');
    expect((await ask({}, await bearer({ tenant: 'famil', sub: 'ben' }))).cache).toBe('miss');
  });

  test.each<[string, object]>([
    ['another temperature', { temperature: 0.5 }],
    ['another seed', { seed: 7 }],
    ['another model', { model: 'scripted-2' }],
    ['another answer format', { response_format: { type: 'json_object' } }],
  ])('for %s', async (_name, body) => {
    await ask();
    await second(body);
  });

  test('for another system prompt', async () => {
    const messages = (content: string) => [
      { role: 'system', content },
      { role: 'user', content: question },
    ];
    await ask({ messages: messages('be brief') });
    expect(await second({ messages: messages('be long') })).toBe('miss');
  });

  test('with tools', async () => {
    const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }];
    await ask({ tools });
    expect(await second({ tools })).toBe('bypass;reason=tools');
  });

  test('within a session that has a history', async () => {
    await ask();
    const headers = { 'x-session-id': crypto.randomUUID() };
    await ask({}, headers, 'before');
    expect(await second({}, headers)).toBe('bypass;reason=session');
  });

  test('for an answer that is given again', async () => {
    const headers = { 'x-session-id': crypto.randomUUID() };
    await ask({}, headers);
    expect(await second({ regenerate: true, messages: [] }, headers)).toMatch(/^bypass;reason=/);
  });

  test('after an answer that was cut by its length', async () => {
    system.upstream.behave(say('one two', { finishReason: 'length' }));
    await ask();
    await second({});
  });

  test('after an answer that broke off, or was an error', async () => {
    system.upstream.behave((_call, answer) => {
      openStream(answer);
      answer.write(chunk({ content: 'half an ans' }));
      answer.destroy();
    });
    await ask({ stream: true });
    await second({});
    question = `other ${question}`;
    system.upstream.behave(refuse(400, { message: 'no' }));
    await ask();
    system.upstream.behave(say('yes'));
    await second({});
  });

  test('with no-store, neither from the cache nor into it', async () => {
    expect(await second({}, { 'cache-control': 'no-store' })).toBe('bypass;reason=no-store');
    expect(await second({})).toBe('miss');
    expect(await second({}, { 'cache-control': 'no-store' })).toBe('bypass;reason=no-store');
  });

  test("with no-cache, which puts the new answer in the old one's place", async () => {
    await ask();
    system.upstream.behave(say('a newer answer'));
    expect(await second({}, { 'cache-control': 'no-cache' })).toBe('miss');
    // This isolate may give the old one for up to a minute; the object must not.
    await system.killEdge();
    await system.restartEdge();
    const { cache, text } = await ask();
    expect(cache).toBe('hit');
    expect(text).toContain('a newer answer');
  });

  test('for one that is older than the client will have it', async () => {
    await ask();
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect((await ask({}, { 'cache-control': 'max-age=60' })).cache).toBe('hit');
    expect(await second({}, { 'cache-control': 'max-age=1' })).toBe('miss');
  });
});

describe('an answer that has got old', () => {
  let aged: System;
  beforeAll(async () => {
    aged = await startSystem({
      env: { EDGEWISE_CACHE: 'on', EDGEWISE_CACHE_TTL_SECONDS: '1', EDGEWISE_CACHE_STALE_SECONDS: '2' },
    });
  });
  afterAll(() => aged.stop());

  test('is given while it is asked again behind the scenes, and then let go', async () => {
    const text = async () => {
      const answer = await aged.chat('old?');

      return `${cacheOf(answer)} ${((await answer.json()) as { choices: [{ message: { content: string } }] }).choices[0].message.content}`;
    };
    aged.upstream.behave(say('first'));
    expect(await text()).toBe('miss first');
    expect(await text()).toBe('hit first');
    await new Promise((resolve) => setTimeout(resolve, 1200));
    aged.upstream.behave(say('second'));
    expect(await text()).toBe('hit first');
    await expect.poll(text).toBe('hit second');
    expect(aged.upstream.calls).toHaveLength(2);
    await new Promise((resolve) => setTimeout(resolve, 3200));
    expect(await text()).toBe('miss second');
  });
});

describe.skipIf(lacks('redis-server'))('with Redis', () => {
  let redis: RedisService;
  let stored: System;
  beforeAll(async () => {
    redis = await startRedis();
    stored = await startSystem({
      env: { EDGEWISE_CACHE: 'on', UPSTASH_REDIS_REST_URL: redis.url, UPSTASH_REDIS_REST_TOKEN: redis.token },
    });
  });
  afterAll(async () => {
    await stored.stop();
    await redis.stop();
  });

  test('answers are found there, and asked for once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => stored.chat('redis?')));
    await Promise.all(answers.map((answer) => answer.text()));
    expect(stored.upstream.calls).toHaveLength(1);
    await stored.killEdge();
    await stored.restartEdge();
    await expect.poll(async () => cacheOf(await stored.chat('redis?'))).toBe('hit');
  });

  test('a Redis that is gone costs no answer', async () => {
    await redis.stop();
    const answer = await stored.chat('anybody there?');
    expect(answer.status).toBe(200);
    expect(cacheOf(answer)).toBe('bypass;reason=unavailable');
  });
});
