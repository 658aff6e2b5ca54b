/** Limits on the way of a prompt: what is refused, what is told, and what still comes through. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readSome } from './read-stream.ts';
import { refuse, say } from './scripted-upstream.ts';
import { lacks, type RedisService, startRedis } from './services.ts';
import { type System, startSystem } from './system.ts';

const plans = {
  three: { user: { requests_per_minute: 3 } },
  tokens: { user: { tokens_per_minute: 2000 } },
  one: { user: { turns_at_once: 1 } },
  cent: { user: { usd_per_day: 0.01 } },
  company: { tenant: { requests_per_minute: 2 } },
  guest: { tenant: { requests_per_minute: 3 } },
};
const env = {
  EDGEWISE_LIMITS: 'on',
  EDGEWISE_CACHE: 'on',
  EDGEWISE_GUESTS: 'on',
  EDGEWISE_PLANS: JSON.stringify(plans),
  // The scripted model under a name that has a price.
  OPENAI_MODEL: '',
};

function describeSystem(name: string, more: () => Promise<Record<string, string>>): void {
  describe(name, () => {
    let system: System;
    let user: string;
    beforeAll(async () => {
      system = await startSystem({ env: { ...env, ...(await more()) } });
    });
    afterAll(() => system.stop());
    beforeEach(() => {
      user = crypto.randomUUID();
      system.upstream.calls.length = 0;
      system.upstream.behave(say('an answer'));
    });

    const headersOf = async (claims: object) => ({
      authorization: `Bearer ${await system.token({ sub: user, ...claims })}`,
    });
    async function ask(claims: object, body: object = {}, content: string = crypto.randomUUID()) {
      const answer = await system.chat(content, { model: 'gpt-5', ...body }, await headersOf(claims));
      const text = await answer.text();
      return { status: answer.status, headers: answer.headers, text };
    }

    test('requests: the fourth of three is 429, and says when to come back', async () => {
      const first = await ask({ plan: 'three' });
      expect(first.headers.get('x-ratelimit-limit-requests')).toBe('3');
      expect(first.headers.get('x-ratelimit-remaining-requests')).toBe('2');
      expect(first.headers.get('ratelimit-policy')).toBe('"requests";q=3;w=60');
      await ask({ plan: 'three' });
      await ask({ plan: 'three' });
      const fourth = await ask({ plan: 'three' });
      expect(fourth.status).toBe(429);
      expect(JSON.parse(fourth.text)).toMatchObject({ error: { code: 'rate_limit_exceeded' } });
      expect(Number(fourth.headers.get('retry-after'))).toBeGreaterThan(10);
      expect(fourth.headers.get('x-ratelimit-remaining-requests')).toBe('0');
      expect(fourth.headers.get('ratelimit')).toMatch(/^"requests";r=0;t=\d+$/);
      expect(system.upstream.calls).toHaveLength(3);
    });

    test('guests are counted by their address, and use up nothing that users may', async () => {
      const newGuest = (address: string) =>
        fetch(`${system.address}/v1/tokens/guest`, {
          method: 'POST',
          headers: { 'x-forwarded-for': address },
        });
      const statuses: number[] = [];
      const tokens: string[] = [];
      for (let guest = 0; guest < 14; guest++) {
        const answer = await newGuest('203.0.113.7');
        statuses.push(answer.status);
        if (answer.ok) tokens.push(((await answer.json()) as { access_token: string }).access_token);
      }
      expect(statuses).toEqual([...Array(10).fill(200), ...Array(4).fill(429)]);
      expect((await newGuest('203.0.113.8')).status).toBe(200);

      const asked: number[] = [];
      for (const token of tokens.slice(0, 6)) {
        const headers = { authorization: `Bearer ${token}` };
        asked.push((await system.chat(crypto.randomUUID(), { model: 'gpt-5' }, headers)).status);
      }
      expect(asked).toEqual([200, 200, 200, 429, 429, 429]);
      expect((await ask({ plan: 'company', tenant: 'default' })).status).toBe(200);
    });

    test('a hit costs nothing, and comes through when the limit is reached; so does history', async () => {
      const question = crypto.randomUUID();
      await ask({ plan: 'three' }, { session_id: 'mine' }, question);
      for (let time = 0; time < 5; time++) await ask({ plan: 'three' });
      expect((await ask({ plan: 'three' })).status).toBe(429);
      const hit = await ask({ plan: 'three' }, {}, question);
      expect(hit.status).toBe(200);
      expect(hit.headers.get('x-edgewise-cache')).toBe('hit');
      const history = await system.request('/v1/sessions/mine', {
        headers: await headersOf({ plan: 'three' }),
      });
      expect(history.status).toBe(200);
    });

    test('tokens: an estimate is held, and what was not used is given back', async () => {
      system.upstream.behave(say('x', { usage: { prompt_tokens: 5, completion_tokens: 5 } }));
      for (let time = 0; time < 6; time++) {
        await expect
          .poll(async () => (await ask({ plan: 'tokens' }, { max_tokens: 1500 })).status, { timeout: 2000 })
          .toBe(200);
      }
      // The last one is settled after its answer.
      await expect
        .poll(
          async () =>
            Number(
              (await ask({ plan: 'tokens' }, { max_tokens: 1 })).headers.get('x-ratelimit-remaining-tokens'),
            ),
          { timeout: 5000 },
        )
        .toBeGreaterThan(1600);
      const many = await Promise.all([0, 1, 2].map(() => ask({ plan: 'tokens' }, { max_tokens: 1500 })));
      expect(many.map(({ status }) => status).sort()).toEqual([200, 429, 429]);
    });

    test('turns at once: a place comes back when a turn ends, fails, is stopped or left', async () => {
      const claims = { plan: 'one' };
      system.upstream.behave(say('word '.repeat(300), { paceMs: 10 }));
      const slow = await system.chat('slow', { model: 'gpt-5', stream: true }, await headersOf(claims));
      expect((await ask(claims)).status).toBe(429);
      await readSome(slow, 2);
      system.upstream.behave(refuse(400, { message: 'no' }));
      await expect.poll(async () => (await ask(claims)).status, { timeout: 3000 }).toBe(400);
      system.upstream.behave(say('word '.repeat(300), { paceMs: 10 }));
      const open = () =>
        headersOf(claims).then((headers) =>
          system.chat('slow', { model: 'gpt-5', stream: true, session_id: user }, headers),
        );
      await expect.poll(async () => (await open()).status, { timeout: 3000 }).toBe(200);
      await system.request(`/v1/sessions/${user}/stop`, { method: 'POST', headers: await headersOf(claims) });
      system.upstream.behave(say('ok'));
      await expect.poll(async () => (await ask(claims)).status, { timeout: 3000 }).toBe(200);
    });

    test('spend: a day’s cent is soon gone, and that is insufficient_quota', async () => {
      system.upstream.behave(say('dear', { usage: { prompt_tokens: 10, completion_tokens: 900 } }));
      expect((await ask({ plan: 'cent' }, { max_tokens: 900 })).status).toBe(200);
      let refused = await ask({ plan: 'cent' }, { max_tokens: 900 });
      expect(refused.status).toBe(429);
      refused = await ask({ plan: 'cent' }, { max_tokens: 900 });
      expect(JSON.parse(refused.text)).toMatchObject({
        error: {
          code: 'insufficient_quota',
          message: 'The limit of spend per day of this user is reached: $0.01.',
        },
      });
    });

    test('a tenant’s limit holds for all its users together', async () => {
      const tenant = crypto.randomUUID();
      const statuses: number[] = [];
      for (const sub of ['a', 'b', 'c']) statuses.push((await ask({ plan: 'company', tenant, sub })).status);
      expect(statuses).toEqual([200, 200, 429]);
      expect((await ask({ plan: 'company', tenant: crypto.randomUUID() })).status).toBe(200);
    });

    test('in a stream and in a session the refusal is an answer of its own, before the first byte', async () => {
      for (let time = 0; time < 3; time++) await ask({ plan: 'three' });
      expect((await ask({ plan: 'three' }, { stream: true })).status).toBe(429);
      const turn = await ask({ plan: 'three' }, { stream: true, session_id: 'x' });
      expect(turn.status).toBe(429);
      expect(turn.headers.get('retry-after')).toMatch(/^\d+$/);
    });
  });
}

const priced = async () => ({});
describeSystem('limits in a Durable Object', priced);

describe.skipIf(lacks('redis-server'))('with Redis', () => {
  let redis: RedisService;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  describeSystem('limits in Redis', async () => ({
    UPSTASH_REDIS_REST_URL: redis.url,
    UPSTASH_REDIS_REST_TOKEN: redis.token,
  }));

  test('a Redis that is gone: nothing new is spent, what was answered still comes', async () => {
    const own = await startRedis();
    const system = await startSystem({
      env: { ...env, UPSTASH_REDIS_REST_URL: own.url, UPSTASH_REDIS_REST_TOKEN: own.token },
    });
    try {
      await (await system.chat('known?', { model: 'gpt-5' })).text();
      await (await system.chat('known?', { model: 'gpt-5' })).text();
      await own.stop();
      const refused = await system.chat('new?', { model: 'gpt-5' });
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toBe('1');
      expect(await refused.json()).toMatchObject({ error: { code: 'limits_unavailable' } });
      const hit = await system.chat('known?', { model: 'gpt-5' });
      expect(hit.headers.get('x-edgewise-cache')).toBe('hit');
      expect(system.upstream.calls).toHaveLength(1);
    } finally {
      await system.stop();
      await own.stop();
    }
  });
});
