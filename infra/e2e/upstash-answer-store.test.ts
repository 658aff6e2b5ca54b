import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answerEntry, describeAnswerStore } from '../../edge/cache/answer-store.contract.ts';
import { EVERYBODY } from '../../edge/cache/answer-store.ts';
import { createUpstashAnswerStore } from '../../edge/cache/upstash-answer-store.ts';
import { lacks, type RedisService, startRedis } from './services.ts';

describe.skipIf(lacks('redis-server'))('with a real Redis', () => {
  let service: RedisService;
  beforeAll(async () => {
    service = await startRedis();
  });
  afterAll(() => service.stop());
  const open = () => createUpstashAnswerStore({ url: service.url, token: service.token, now: Date.now });

  describeAnswerStore('the Upstash answer store', async () => open());

  test('a removal reaches one tenant alone, whatever its name', async () => {
    const store = open();
    for (const tenant of ['acme', 'acme*', '*', 'a?me', 'acme:x']) await store.keep(tenant, answerEntry());
    expect(await store.remove('*', {})).toBe(1);
    expect(await store.remove('a?me', {})).toBe(1);
    expect(await store.remove('acme*', {})).toBe(1);
    expect(await store.remove('acme', {})).toBe(1);
    expect(await store.find('acme:x', answerEntry().key, [EVERYBODY])).toBeDefined();
  });

  test('takes one command for each operation of a prompt', async () => {
    const store = open();
    const commands = async () =>
      Number((await service.redis.info('stats')).match(/total_commands_processed:(\d+)/)?.[1]);
    const before = await commands();
    await store.keep('counted', answerEntry());
    await store.find('counted', answerEntry().key, [EVERYBODY, 'ann']);
    // The second look at the counter is a command, too.
    expect((await commands()) - before).toBe(3);
  });

  test('Redis lets an answer go by itself', async () => {
    const store = open();
    await store.keep('short', answerEntry({ staleUntilMs: Date.now() + 40 }));
    await expect.poll(async () => (await service.redis.keys('edgewise:answer:short:*')).length).toBe(0);
  });
});
