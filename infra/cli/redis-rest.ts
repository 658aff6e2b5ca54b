import { once } from 'node:events';
import { serve } from '@hono/node-server';
import { Redis } from 'ioredis';
import { reportProgress, runCommand } from '../local/command.ts';
import { stopRequest } from '../local/process-lifetime.ts';
import { createRedisRest } from '../local/redis-rest/app.ts';

await runCommand({
  name: 'npm run redis-rest',
  summary: 'Serves the REST protocol of Upstash in front of a plain Redis, on 127.0.0.1.',
  environment: {
    REDIS_REST_TOKEN: 'Bearer token that callers must send (required)',
    REDIS_URL: 'Address of the Redis (redis://127.0.0.1:6379)',
    REDIS_REST_PORT: 'Port to listen on (8079)',
  },
  example: 'REDIS_REST_TOKEN=... npm run redis-rest',
  async run() {
    const { REDIS_URL = 'redis://127.0.0.1:6379', REDIS_REST_TOKEN: token } = process.env;
    const port = Number(process.env.REDIS_REST_PORT || '8079');
    if (!token) throw new Error('REDIS_REST_TOKEN is missing: the bearer token that callers must send.');
    const redis = new Redis(REDIS_URL);
    redis.on('error', (error) => reportProgress(`redis: ${error.message}`));
    const server = serve({ fetch: createRedisRest({ redis, token }).fetch, hostname: '127.0.0.1', port });
    try {
      await once(server, 'listening');
      reportProgress(`redis-rest listens on http://127.0.0.1:${port}`);
      await stopRequest();
    } finally {
      server.close();
      redis.disconnect();
    }
  },
});
