/** What is kept for good: every finished turn once, whatever happens to the core meanwhile. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChatMessage } from '../../shared/model/chat-model.ts';
import type { ArchivedSession } from '../../shared/protocol/archive-protocol.ts';
import { type CoreCaller, coreCallerOf } from './core-caller.ts';
import { readEvents, readSome } from './read-stream.ts';
import { refuse, type ScriptedUpstream, say, startScriptedUpstream } from './scripted-upstream.ts';
import { lacks, type RedisService, startRedis } from './services.ts';
import { type System, startSystem } from './system.ts';

interface HistoryMessage {
  id: string;
  parent_id: string | null;
  turn_id: string;
  role: string;
  content: string;
}

async function historyOf(system: System, id: string): Promise<HistoryMessage[]> {
  const messages: HistoryMessage[] = [];
  for (let before: number | undefined; ; ) {
    const query = before === undefined ? '' : `&before=${before}`;
    const page = (await (await system.request(`/v1/sessions/${id}?limit=100${query}`)).json()) as {
      messages: HistoryMessage[];
      first?: number;
      has_more?: boolean;
    };
    messages.unshift(...page.messages);
    if (!page.has_more) return messages;
    before = (page.first ?? 1) - 1;
  }
}

async function archiveOf(core: CoreCaller, id: string): Promise<ArchivedSession | undefined> {
  const request = { method: 'GET', path: `/v1/archive/sessions/${id}` } as const;
  const answer = await core.call(core.contextOf(), request).catch(() => undefined);
  return answer?.json();
}

const plain = (messages: { id: string; message: ChatMessage }[]) =>
  messages.map(({ id, message }) => [id, message.role, message.content]);

/** Those of a system whose light model answers without the core. */
async function startLight(
  env: Record<string, string> = {},
): Promise<{ system: System; light: ScriptedUpstream }> {
  const light = await startScriptedUpstream();
  const system = await startSystem({
    env: {
      EDGEWISE_ARCHIVE: 'on',
      EDGEWISE_LIGHT_BASE_URL: light.baseUrl,
      EDGEWISE_LIGHT_MODEL: 'tiny',
      EDGEWISE_LIGHT_API_KEY: 'k',
      ...env,
    },
  });
  return { system, light };
}

describe('the archive', () => {
  let system: System;
  let light: ScriptedUpstream;
  let core: CoreCaller;
  beforeAll(async () => {
    ({ system, light } = await startLight());
    core = await coreCallerOf(system);
  });
  afterAll(async () => {
    await system?.stop();
    await light?.close();
  });
  const ask = (content: string, body: object = {}) => system.chat(content, { model: 'fast', ...body });
  const archived = (id: string, count: number) =>
    expect
      .poll(async () => (await archiveOf(core, id))?.messages.length, { timeout: 30_000, interval: 200 })
      .toBe(count);

  test('200 turns with the core stopped and started: archive and session agree exactly', {
    timeout: 120_000,
  }, async () => {
    const sessions = ['one', 'two', 'three', 'four'];
    for (let round = 0; round < 50; round++) {
      if (round % 15 === 5) await system.killCore();
      if (round % 15 === 12) await system.restartCore();
      light.behave(say(`Answer ${round}, 答案 ${round}.`));
      await Promise.all(
        sessions.map(async (session_id) => {
          const answer = await ask(`Question ${round} of ${session_id}?`, { session_id });
          expect(answer.status).toBe(200);
          await answer.text();
        }),
      );
    }
    for (const id of sessions) {
      await archived(id, 100);
      const history = await historyOf(system, id);
      const kept = (await archiveOf(core, id)) as ArchivedSession;
      expect(plain(kept.messages)).toEqual(
        history.map((message) => [message.id, message.role, message.content]),
      );
      expect(kept.messages.map(({ parentId }) => parentId)).toEqual(
        history.map(({ parent_id }) => parent_id),
      );
      expect(new Set(kept.messages.map(({ turnId }) => turnId)).size).toBe(50);
    }
    const usage = (await (await system.request('/v1/usage?by=model')).json()) as {
      data: { model: string; requests: number; input_tokens: number }[];
    };
    expect(usage.data).toMatchObject([{ model: 'tiny', requests: 200, input_tokens: 200 * 11 }]);
  });

  test('turns that were stopped or failed are kept as they came out, and branches as such', async () => {
    const session_id = 'odd';
    light.behave(say('The first answer.'));
    await (await ask('Hello.', { session_id })).text();
    light.behave(say('Another answer.'));
    await (await ask('', { session_id, messages: [], regenerate: true })).text();
    light.behave(say('word '.repeat(500), { paceMs: 10 }));
    await readSome(await ask('Go on.', { session_id, stream: true }), 5);
    await system.request(`/v1/sessions/${session_id}/stop`, { method: 'POST' });
    light.behave(refuse(500, { message: 'down' }));
    system.upstream.behave(refuse(500, { message: 'down, too' }));
    expect((await ask('And now?', { session_id })).status).toBe(502);
    const history = await historyOf(system, session_id);
    await archived(session_id, history.length);
    const kept = (await archiveOf(core, session_id)) as ArchivedSession;
    expect(plain(kept.messages)).toEqual(
      history.map((message) => [message.id, message.role, message.content]),
    );
    expect(new Set(history.map(({ parent_id }) => parent_id)).size).toBeLessThan(history.length);
  });

  test('a session that is deleted is deleted there, too, even when the core is away at that moment', async () => {
    light.behave(say('A secret.'));
    for (const session_id of ['gone-at-once', 'gone-later']) {
      await (await ask('Tell me.', { session_id })).text();
      await archived(session_id, 2);
    }
    await system.request('/v1/sessions/gone-at-once', { method: 'DELETE' });
    await expect.poll(() => archiveOf(core, 'gone-at-once')).toBeUndefined();
    await system.killCore();
    expect((await system.request('/v1/sessions/gone-later', { method: 'DELETE' })).status).toBeLessThan(300);
    await system.restartCore();
    await expect.poll(() => archiveOf(core, 'gone-later'), { timeout: 20_000 }).toBeUndefined();
    expect((await system.request('/v1/sessions/gone-later')).status).toBe(404);
  }, 40_000);

  test('a request that stands alone is counted, and its words are not kept', async () => {
    light.behave(say('Alone.'));
    const count = async () => {
      const headers = { authorization: `Bearer ${await system.token({ sub: 'loner' })}` };
      const { data } = (await (await system.request('/v1/usage?by=model', { headers })).json()) as {
        data: { requests: number }[];
      };
      return data[0]?.requests;
    };
    const headers = { authorization: `Bearer ${await system.token({ sub: 'loner' })}` };
    await (await system.chat('Hi.', { model: 'fast' }, headers)).text();
    await readEvents(await system.chat('Hi again.', { model: 'fast', stream: true }, headers));
    await expect.poll(count, { timeout: 5000 }).toBe(2);
  });
});

describe('usage', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem({ env: { EDGEWISE_ARCHIVE: 'on', EDGEWISE_CACHE: 'on', OPENAI_MODEL: '' } });
    system.upstream.behave(say('x', { usage: { prompt_tokens: 1000, completion_tokens: 100 } }));
    for (const sub of ['ann', 'ben']) {
      for (const model of ['gpt-5', 'gpt-5', 'gpt-5-mini']) {
        const headers = { authorization: `Bearer ${await system.token({ sub })}` };
        await (await system.chat('The same question.', { model }, headers)).text();
      }
    }
  });
  afterAll(() => system?.stop());
  const read = async (query: string, claims: object, headers: Record<string, string> = {}) =>
    system.request(`/v1/usage${query}`, {
      headers: { authorization: `Bearer ${await system.token(claims)}`, ...headers },
    });
  const counted = (claims: object) =>
    expect
      .poll(
        async () => {
          const { data } = (await (await read('?by=user&all=true', claims)).json()) as {
            data: { requests: number }[];
          };
          return data.map(({ requests }) => requests);
        },
        { timeout: 10_000 },
      )
      .toEqual([3, 3]);

  test('is told by day and model, with what it cost and what the cache saved', async () => {
    await counted({ scope: 'admin' });
    const { data } = (await (await read('', { sub: 'ann' })).json()) as { data: object[] };
    const day = new Date().toISOString().slice(0, 10);
    expect(data).toEqual([
      {
        day,
        model: 'gpt-5',
        requests: 2,
        errors: 0,
        cache_hits: 1,
        input_tokens: 2000,
        output_tokens: 200,
        cached_input_tokens: 0,
        cost_usd: 0.00225,
      },
      {
        day,
        model: 'gpt-5-mini',
        requests: 1,
        errors: 0,
        cache_hits: 0,
        input_tokens: 1000,
        output_tokens: 100,
        cached_input_tokens: 0,
        cost_usd: 0.00045,
      },
    ]);
  });

  test('of the whole tenant is the operator’s to read, and comes as CSV, too', async () => {
    await counted({ scope: 'admin' });
    expect((await read('?all=true', { sub: 'ann' })).status).toBe(403);
    expect(await (await read('?all=true', { tenant: 'other', scope: 'admin' })).json()).toMatchObject({
      data: [],
    });
    const csv = await read('?all=true&by=user,model', { scope: 'admin' }, { accept: 'text/csv' });
    expect(csv.headers.get('content-type')).toContain('text/csv');
    const lines = (await csv.text()).trim().split('\r\n');
    expect(lines[0]).toMatch(/^user,model,requests,errors,cache_hits,/);
    expect(lines).toHaveLength(5);
  });

  test.each([
    '?from=yesterday',
    '?to=2026-13-01',
    '?by=colour',
    '?from=2026-02-01&to=2026-01-01',
    '?from=2000-01-01',
  ])('%s is refused', async (query) => {
    expect((await read(query, {})).status).toBe(400);
  });

  test('feedback on an answer is kept, and one’s own turns alone can have it', async () => {
    const headers = {
      authorization: `Bearer ${await system.token({ sub: 'ann' })}`,
      'content-type': 'application/json',
    };
    const answer = (await (await system.chat('What do you think?', { model: 'gpt-5' }, headers)).json()) as {
      id: string;
    };
    const give = (body: object, more: object = headers) =>
      system.request('/v1/feedback', {
        method: 'POST',
        headers: { ...headers, ...more },
        body: JSON.stringify(body),
      });
    await expect
      .poll(async () => (await give({ turn_id: answer.id, rating: 'up', text: 'Thank you.' })).status, {
        timeout: 5000,
      })
      .toBe(200);
    const other = { authorization: `Bearer ${await system.token({ sub: 'ben' })}` };
    expect((await give({ turn_id: answer.id, rating: 'down' }, other)).status).toBe(404);
    expect(await (await give({ turn_id: answer.id, rating: 'sideways' })).json()).toMatchObject({
      error: { param: 'rating' },
    });
  });
});

describe.skipIf(lacks('redis-server'))('a conversation that Redis has forgotten', () => {
  let redis: RedisService;
  let system: System;
  let light: ScriptedUpstream;
  beforeAll(async () => {
    redis = await startRedis();
    ({ system, light } = await startLight({
      UPSTASH_REDIS_REST_URL: redis.url,
      UPSTASH_REDIS_REST_TOKEN: redis.token,
    }));
  });
  afterAll(async () => {
    await system?.stop();
    await Promise.all([light?.close(), redis?.stop()]);
  });

  test('is brought back: its history, its system prompt, and what the model sees', async () => {
    const core = await coreCallerOf(system);
    const session_id = 'forgotten';
    light.behave(say('Nice to meet you, Zoe.'));
    const messages = [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'I am Zoe.' },
    ];
    await (await system.chat('', { model: 'fast', session_id, messages })).text();
    await expect
      .poll(async () => (await archiveOf(core, session_id))?.messages.length, { timeout: 20_000 })
      .toBe(2);
    const before = await historyOf(system, session_id);
    await redis.redis.flushall();
    expect(await historyOf(system, session_id)).toEqual(before);
    await redis.redis.flushall();
    light.behave(say('Zoe.'));
    await (await system.chat('Who am I?', { model: 'fast', session_id })).text();
    expect(light.calls.at(-1)?.body.messages.map(({ role, content }) => [role, content])).toEqual([
      ['system', 'Be kind.'],
      ['user', 'I am Zoe.'],
      ['assistant', 'Nice to meet you, Zoe.'],
      ['user', 'Who am I?'],
    ]);
    await expect
      .poll(async () => (await archiveOf(core, session_id))?.messages.length, { timeout: 10_000 })
      .toBe(4);
  });
});
