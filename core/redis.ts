/** The Redis that core instances share: what runs (generations) and what may be asked of upstreams (quotas). */
import type { Redis } from 'ioredis';
import { logLine } from './observe/log.ts';

/** A connection that is made again whenever it breaks; a command is tried twice. @param url `redis://...` */
export async function connectRedis(url: string): Promise<Redis> {
  const { Redis } = await import('ioredis');
  const redis = new Redis(url, { maxRetriesPerRequest: 1, connectTimeout: 5000 });
  let isDown = false;
  redis.on('error', ({ message }) => {
    if (!isDown) logLine('error', 'Redis cannot be reached', { 'error.message': message.slice(0, 40) });
    isDown = true;
  });
  redis.on('ready', () => {
    if (isDown) logLine('info', 'Redis is back', {});
    isDown = false;
  });
  return redis;
}
