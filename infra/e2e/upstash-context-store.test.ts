import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeContextStore, message } from '../../edge/session/context-store.contract.ts';
import { createUpstashContextStore } from '../../edge/session/upstash-context-store.ts';
import { lacks, type RedisService, startRedis } from './services.ts';

describe.skipIf(lacks('redis-server'))('with a real Redis', () => {
  let service: RedisService;
  beforeAll(async () => {
    service = await startRedis();
  });
  afterAll(() => service.stop());
  const open = () => createUpstashContextStore({ url: service.url, token: service.token, ttlMs: 60_000 });

  describeContextStore('the Upstash context store', async () => open());

  test('keeps tenants, users and sessions apart, whatever their names', async () => {
    const store = open();
    const keys = [
      { tenant: 'a', user: 'b:c', sessionId: 'd' },
      { tenant: 'a:b', user: 'c', sessionId: 'd' },
      { tenant: 'a', user: 'b', sessionId: 'c:d' },
      { tenant: 'a}', user: '{b', sessionId: 'c' },
    ];
    for (const key of keys)
      await store.append(key, { expectedVersion: 0, messages: [message(JSON.stringify(key))] });
    for (const key of keys) {
      expect((await store.tail(key, 10)).messages.map(({ id }) => id)).toEqual([JSON.stringify(key)]);
    }
  });

  test('lets a conversation expire', async () => {
    const store = createUpstashContextStore({ url: service.url, token: service.token, ttlMs: 30 });
    const key = { tenant: 't', user: 'u', sessionId: 'short' };
    await store.append(key, { expectedVersion: 0, messages: [message('a')] });
    await expect.poll(async () => (await store.tail(key, 1)).version).toBe(0);
  });

  test('takes one command for each operation', async () => {
    const store = open();
    const key = { tenant: 't', user: 'u', sessionId: 'counted' };
    const before = await commandCount(service);
    await store.tail(key, 32);
    await store.append(key, { expectedVersion: 0, messages: [message('a')] });
    expect((await commandCount(service)) - before).toBe(2);
  });

  test('says plainly when Redis cannot be reached', async () => {
    const store = createUpstashContextStore({ url: 'http://127.0.0.1:9', token: 'x', ttlMs: 1000 });
    await expect(store.tail({ tenant: 't', user: 'u', sessionId: 's' }, 1)).rejects.toMatchObject({
      code: 'store_unavailable',
    });
  });

  test('is refused without the right token', async () => {
    const response = await fetch(service.url, {
      method: 'POST',
      body: '["PING"]',
      headers: { authorization: 'Bearer no' },
    });
    expect(response.status).toBe(401);
  });
});

/** How many scripts were run; other commands are counted inside them, too. */
async function commandCount({ redis }: RedisService): Promise<number> {
  const stats = await redis.info('commandstats');
  return Number(/cmdstat_eval:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}
