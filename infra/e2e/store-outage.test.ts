/** What a session is worth while its store cannot be reached. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FaultyNetwork, startFaultyNetwork } from './faulty-network.ts';
import { readEvents, textOf } from './read-stream.ts';
import { say } from './scripted-upstream.ts';
import { lacks, type RedisService, startRedis } from './services.ts';
import { type System, startSystem } from './system.ts';

describe.skipIf(lacks('redis-server'))('with Redis behind a network that fails', () => {
  let redis: RedisService;
  let network: FaultyNetwork;
  let system: System;
  beforeAll(async () => {
    redis = await startRedis();
    network = await startFaultyNetwork(redis.url);
    system = await startSystem({
      env: { UPSTASH_REDIS_REST_URL: network.address, UPSTASH_REDIS_REST_TOKEN: redis.token },
    });
  });
  afterAll(async () => {
    await system.stop();
    await network.close();
    await redis.stop();
  });
  const down = () => network.cutAfter(() => 1);
  const up = () => network.cutAfter(() => Number.POSITIVE_INFINITY);

  test('a turn is refused before the model is asked, with a time to come back', async () => {
    down();
    const response = await system.chat('hi', {}, { 'x-session-id': 'refused' });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ error: { code: 'store_unavailable' } });
    expect(system.upstream.calls).toHaveLength(0);
    expect((await system.chat('a prompt alone')).status).toBe(200);
    up();
    expect((await system.chat('hi', {}, { 'x-session-id': 'refused' })).status).toBe(200);
  });

  test('an answer that was given while the store was away is kept when it is back', async () => {
    system.upstream.behave(say('one two three four', { paceMs: 30 }));
    const reading = system.chat('keep this', { stream: true }, { 'x-session-id': 'kept' }).then(readEvents);
    await expect.poll(() => system.upstream.calls.at(-1)?.body.messages.at(-1)?.content).toBe('keep this');
    down();
    await new Promise((resolve) => setTimeout(resolve, 500));
    up();
    expect(textOf(await reading)).toBe('one two three four');
    const response = await system.request('/v1/sessions/kept');
    expect(await response.json()).toMatchObject({
      messages: [{ role: 'user' }, { role: 'assistant', content: 'one two three four' }],
    });
  });
});

test('a store that hangs holds up neither a turn nor a history for long, and no prompt without a session', async () => {
  const hanging = createServer(() => undefined);
  await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
  const { port } = hanging.address() as AddressInfo;
  const system = await startSystem({
    env: { UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${port}`, UPSTASH_REDIS_REST_TOKEN: 'token' },
  });
  try {
    const startMs = Date.now();
    const [turn, history, alone] = await Promise.all([
      system.chat('hi', {}, { 'x-session-id': 'hangs' }),
      system.request('/v1/sessions/hangs-too'),
      system.chat('a prompt alone'),
    ]);
    expect([turn.status, history.status, alone.status]).toEqual([503, 503, 200]);
    expect(await turn.json()).toMatchObject({ error: { code: 'store_unavailable' } });
    expect(Date.now() - startMs).toBeLessThan(10_000);
    expect(system.upstream.calls).toHaveLength(1);
  } finally {
    await system.stop();
    hanging.closeAllConnections();
    hanging.close();
  }
}, 60_000);
