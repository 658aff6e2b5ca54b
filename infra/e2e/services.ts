/** Real servers for tests, when the machine has them. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { Redis } from 'ioredis';
import { freePort } from '../local/ports.ts';
import { createRedisRest } from '../local/redis-rest/app.ts';

/**
 * Whether to skip tests that need a program this machine lacks. Where `EDGEWISE_REQUIRE_SERVICES=1` they
 * are not skipped, and so they fail.
 */
export function lacks(program: string): boolean {
  if (process.env.EDGEWISE_REQUIRE_SERVICES === '1') return false;
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return false;
  } catch {
    return true;
  }
}

export interface RedisService {
  /** The REST bridge in front of it. */
  url: string;
  token: string;
  redis: Redis;
  stop(): Promise<void>;
}

/** A `redis-server` with an empty folder of its own, and the REST bridge before it. */
export async function startRedis(): Promise<RedisService> {
  const dir = await mkdtemp(join(tmpdir(), 'edgewise-redis-'));
  const port = await freePort();
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    dir,
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const server = spawn('redis-server', args, { stdio: 'ignore' });
  const failed = once(server, 'error').then(([error]) => {
    throw error;
  });
  const redis = new Redis(port, '127.0.0.1', { retryStrategy: (attempt) => (attempt < 100 ? 50 : null) });
  redis.on('error', () => undefined);
  await Promise.race([redis.ping(), failed]);
  const token = 'a-token-for-tests';
  const bridge = serve({ fetch: createRedisRest({ redis, token }).fetch, hostname: '127.0.0.1', port: 0 });
  if (!bridge.listening) await once(bridge, 'listening');
  let stopped: Promise<void> | undefined;
  async function stop(): Promise<void> {
    bridge.close();
    redis.disconnect();
    server.kill('SIGTERM');
    await once(server, 'exit');
    await rm(dir, { recursive: true, force: true });
  }
  return {
    url: `http://127.0.0.1:${(bridge.address() as AddressInfo).port}`,
    token,
    redis,
    stop: () => (stopped ??= stop()),
  };
}
