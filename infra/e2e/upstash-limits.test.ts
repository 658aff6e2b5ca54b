import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { describeLimits } from '../../edge/limits/limits.contract.ts';
import { createUpstashLimits } from '../../edge/limits/upstash-limits.ts';
import { lacks, type RedisService, startRedis } from './services.ts';

describe.skipIf(lacks('redis-server'))('with a real Redis', () => {
  let service: RedisService;
  beforeAll(async () => {
    service = await startRedis();
    // The library asks the system for the time; only that is turned.
    vi.useFakeTimers({ toFake: ['Date'] });
  });
  afterAll(async () => {
    vi.useRealTimers();
    await service.stop();
  });

  describeLimits('limits in Upstash Redis', (now) => {
    const limits = createUpstashLimits({ url: service.url, token: service.token });
    const at = <T>(work: () => T): T => {
      vi.setSystemTime(now());
      return work();
    };
    return {
      reserve: (reservation) => at(() => limits.reserve(reservation)),
      settle: (settlement) => at(() => limits.settle(settlement)),
    };
  });

  test('a Redis that is away lets nothing through', async () => {
    const limits = createUpstashLimits({ url: 'http://127.0.0.1:9', token: 'x' });
    const reservation = { id: 'x', tenant: 't', subjects: [], requests: 1, tokens: 1, micros: 1, holdMs: 1 };
    await expect(limits.reserve(reservation)).rejects.toMatchObject({ code: 'limits_unavailable' });
    await expect(limits.settle({ id: 'x', tenant: 't', tokens: 0, micros: 0 })).rejects.toMatchObject({
      code: 'limits_unavailable',
    });
  });
});
