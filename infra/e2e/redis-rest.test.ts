import { Redis } from '@upstash/redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lacks, type RedisService, startRedis } from './services.ts';

describe.skipIf(lacks('redis-server'))("the REST bridge, with Upstash's own client", () => {
  let service: RedisService;
  let client: Redis;
  beforeAll(async () => {
    service = await startRedis();
    client = new Redis({ url: service.url, token: service.token, enableTelemetry: false });
  });
  afterAll(() => service.stop());

  const call = (path: string, init: RequestInit = {}) =>
    fetch(service.url + path, {
      ...init,
      headers: { authorization: `Bearer ${service.token}`, ...(init.headers as Record<string, string>) },
    });

  test.each(['plain', '中文 🦉', 'OK', 'a\r\nb\0c', ''])('gives %j back as it was', async (value) => {
    await client.set('text', value);
    expect(await client.get('text')).toBe(value);
  });

  test('gives numbers, nothing, lists and objects as the client expects them', async () => {
    expect(await client.incr('count')).toBe(1);
    expect(await client.get('nothing')).toBeNull();
    await client.rpush<unknown>('list', { a: 1 }, 'b', 3);
    expect(await client.lrange('list', 0, -1)).toEqual([{ a: 1 }, 'b', 3]);
    await client.hset('hash', { one: 1, two: 'zwei' });
    expect(await client.hgetall('hash')).toEqual({ one: 1, two: 'zwei' });
  });

  test('runs a pipeline in order, and a fault in it leaves the rest alone', async () => {
    await client.set('word', 'no number');
    const answers = await client.pipeline().set('p', 1).incr('word').incr('p').exec({ keepErrors: true });
    expect(answers.map(({ result }) => result)).toEqual(['OK', undefined, 2]);
    expect(answers[1].error).toMatch(/not an integer/);
  });

  test('runs a transaction as one', async () => {
    expect(await client.multi().set('t', 'x').append('t', 'y').get('t').exec()).toEqual(['OK', 2, 'xy']);
    await expect(client.multi().set('t', 'z').exec()).resolves.toEqual(['OK']);
  });

  test('runs scripts', async () => {
    expect(await client.eval('return {KEYS[1], ARGV[1]}', ['k'], ['v'])).toEqual(['k', 'v']);
  });

  test('takes a command from the path, the body and the query', async () => {
    const set = await call('/set/a%2Fb?EX=100', { method: 'POST', body: 'a value' });
    expect(await set.json()).toEqual({ result: 'OK' });
    expect(await (await call('/get/a%2Fb')).json()).toEqual({ result: 'a value' });
    expect(await client.ttl('a/b')).toBeGreaterThan(90);
    expect((await call('/get/%E0')).status).toBe(400);
  });

  test('keeps bytes that are no text, when base64 is asked for', async () => {
    const bytes = Buffer.from([0xff, 0x00, 0xfe]);
    await service.redis.set('bytes', bytes);
    const answer = await call('/get/bytes', { headers: { 'upstash-encoding': 'base64' } });
    expect(await answer.json()).toEqual({ result: bytes.toString('base64') });
  });

  test("answers 400 with Redis's words when a command is wrong", async () => {
    const answer = await call('/', { method: 'POST', body: '["GET"]' });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ error: expect.stringMatching(/^ERR wrong number of arguments/) });
    for (const body of ['{', '[]', '[["GET", "a"]]', '"GET"']) {
      expect((await call('/', { method: 'POST', body })).status).toBe(400);
    }
  });

  test.each(['MULTI', 'subscribe', 'BLPOP', 'Select'])(
    'refuses %s, which the others would feel',
    async (name) => {
      for (const [path, body] of [
        ['/', [name, 'a', '0']],
        ['/multi-exec', [[name, 'a', '0']]],
      ] as const) {
        const answer = await call(path, { method: 'POST', body: JSON.stringify(body) });
        expect(answer.status).toBe(400);
        expect(await answer.json()).toEqual({ error: `ERR Command is not available: '${name}'` });
      }
      expect(await client.ping()).toBe('PONG');
    },
  );

  test.each(['', 'Bearer ', 'Bearer a-token-for-test', 'Basic a-token-for-tests'])(
    'refuses %j',
    async (authorization) => {
      const answer = await fetch(service.url, {
        method: 'POST',
        body: '["PING"]',
        headers: { authorization },
      });
      expect(answer.status).toBe(401);
      expect(await answer.json()).toEqual({ error: 'Unauthorized' });
    },
  );
});
