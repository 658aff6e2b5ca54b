/** The quota of this instance, or the one that instances with the same Redis share. */
import type { Redis } from 'ioredis';
import { createMemoryQuotaStore } from './memory-quota-store.ts';
import { createQuota, type Quota, type QuotaOptions } from './quota.ts';
import { createRedisQuotaStore } from './redis-quota-store.ts';

export function openQuota({
  redis,
  ...options
}: Omit<QuotaOptions, 'store'> & { redis: Redis | undefined }): Quota {
  const store = redis ? createRedisQuotaStore({ redis }) : createMemoryQuotaStore({ now: options.now });
  return createQuota({ ...options, store });
}
