/** `node infra/cli/redis-rest.ts`: REDIS_URL, REDIS_REST_TOKEN and REDIS_REST_PORT (8079) say where and for whom. */
import { serve } from '@hono/node-server';
import { Redis } from 'ioredis';
import { createRedisRest } from '../local/redis-rest/app.ts';

const {
  REDIS_URL = 'redis://127.0.0.1:6379',
  REDIS_REST_TOKEN: token,
  REDIS_REST_PORT = '8079',
} = process.env;
if (!token) {
  console.error('REDIS_REST_TOKEN is missing: the bearer token that callers must send.');
  process.exit(1);
}

const redis = new Redis(REDIS_URL);
redis.on('error', (error) => console.error(`redis: ${error.message}`));
const server = serve({
  fetch: createRedisRest({ redis, token }).fetch,
  hostname: '127.0.0.1',
  port: Number(REDIS_REST_PORT),
});
process.on('SIGTERM', () => {
  server.close();
  redis.disconnect();
});
