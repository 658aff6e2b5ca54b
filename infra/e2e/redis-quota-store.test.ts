/** Upstream quotas on a real redis-server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeQuotaStore } from '../../core/quota/quota-store.contract.ts';
import { createRedisQuotaStore } from '../../core/quota/redis-quota-store.ts';
import { lacks, type RedisService, startRedis } from './services.ts';

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const SLICE_MS = 40;

describe.skipIf(lacks('redis-server'))('with Redis', () => {
  let service: RedisService;
  beforeAll(async () => {
    service = await startRedis();
  });
  afterAll(() => service?.stop());

  describeQuotaStore('quotas in Redis', async () => {
    await service.redis.flushall();
    return {
      store: createRedisQuotaStore({ redis: service.redis, sliceMs: SLICE_MS }),
      sliceMs: SLICE_MS,
      wait,
    };
  });

  test('what is kept is bounded, and gone when nobody asks any more', async () => {
    await service.redis.flushall();
    const store = createRedisQuotaStore({ redis: service.redis, sliceMs: 2 });
    const scopes = [{ name: 'a', limits: { requestsPerMinute: 100_000, tokensPerMinute: 100_000 } }];
    for (let count = 0; count < 400; count++)
      await store.take({ id: String(count), scopes, tokens: 1, holdMs: 1 });
    expect(await service.redis.hlen('edgewise:{quota}:a')).toBeLessThanOrEqual(2 * 63);
    expect(await service.redis.pttl('edgewise:{quota}:a')).toBeGreaterThan(0);
    expect(await service.redis.pttl('edgewise:{quota}:a:turns')).toBeGreaterThan(0);
  });

  test('a Redis that is gone is told as such', async () => {
    const gone = await startRedis();
    const redis = gone.redis.duplicate({ maxRetriesPerRequest: 0, retryStrategy: () => null });
    redis.on('error', () => undefined);
    await redis.ping();
    await gone.stop();
    const store = createRedisQuotaStore({ redis });
    await expect(store.block([{ name: 'a', limits: {} }], 1)).rejects.toMatchObject({
      code: 'core_unavailable',
    });
    redis.disconnect();
  });
});
