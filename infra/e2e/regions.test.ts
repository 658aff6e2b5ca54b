/** Two regions of the core: one is killed, nobody notices, and it takes part again when it is back. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Regions, startRegions } from './regions.ts';
import { chunk, openStream, say } from './scripted-upstream.ts';
import { lacks, type RedisService, startRedis } from './services.ts';

const FAILED = /"error"/;

describe('regions that share nothing', () => {
  let system: Regions;
  beforeAll(async () => {
    system = await startRegions();
  });
  afterAll(() => system?.stop());

  test('the near one is asked, though the far one stands first', async () => {
    const before = await system.far.ended();
    for (let index = 0; index < 5; index++) await (await system.chat(`Hello ${index}`)).text();
    expect(await system.near.ended()).toBeGreaterThanOrEqual(5);
    expect(await system.far.ended()).toBe(before);
  });

  test('of a thousand requests none fails while a region is killed in the middle of them', {
    timeout: 120_000,
  }, async () => {
    const { near, far } = system;
    const readers = 16;
    let waiting = 0;
    let isOpen = true;
    const gate = Promise.withResolvers<void>();
    // The kill meets calls that have not heard a word: what has begun at the reader cannot begin again.
    system.upstream.behave(async (call, answer) => {
      waiting++;
      if (!isOpen) await gate.promise;
      waiting--;
      await say('Hello from the model.')(call, answer);
    });
    async function killWhenAllWait(): Promise<void> {
      isOpen = false;
      for (const endMs = Date.now() + 20_000; waiting < readers; ) {
        if (Date.now() > endMs) throw new Error(`only ${waiting} calls wait`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await near.kill();
      gate.resolve();
    }
    let asked = 0;
    let killed: Promise<void> | undefined;
    const failures: string[] = [];
    async function askOnAndOn(): Promise<void> {
      while (asked < 1000) {
        const number = asked++;
        if (number === 400) killed = killWhenAllWait();
        // Half of them are turns of sessions, which the core owns.
        const answer = await system.chat(`Question ${number}`, number % 2 === 0 ? `s${number}` : undefined);
        const text = await answer.text();
        const isWhole = answer.status === 200 && text.includes('model') && text.includes('[DONE]');
        if (!isWhole || FAILED.test(text)) failures.push(`${number}: ${answer.status} ${text.slice(-400)}`);
      }
    }
    await Promise.all(Array.from({ length: readers }, askOnAndOn));
    await killed;
    expect(failures).toEqual([]);
    expect(asked).toBeGreaterThanOrEqual(1000);
    expect(await far.ended()).toBeGreaterThan(550);
    expect((await system.health()).core_regions).toEqual(['up', 'down']);
  });

  test('the region that is back takes part again, by itself', async () => {
    const { near, far } = system;
    near.restart();
    const endMs = Date.now() + 25_000;
    // Nothing but requests goes in: the edge finds out behind them.
    for (let ended = 0; ended === 0; ) {
      expect(Date.now()).toBeLessThan(endMs);
      expect(await (await system.chat('Are you back?')).text()).toContain('[DONE]');
      ended = await near.ended().catch(() => 0);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const others = await far.ended();
    for (let index = 0; index < 10; index++) await (await system.chat(`Again ${index}`)).text();
    expect(await near.ended()).toBeGreaterThanOrEqual(11);
    expect(await far.ended()).toBe(others);
  });

  test('a model that is slow to begin is no region that is away', { timeout: 30_000 }, async () => {
    const calls = system.upstream.calls.length;
    system.upstream.behave(async (call, answer) => {
      await new Promise((resolve) => setTimeout(resolve, 7000));
      openStream(answer);
      answer.write(chunk({ role: 'assistant', content: 'At last.' }));
      answer.write(chunk({}, 'stop'));
      answer.end('data: [DONE]\n\n');
      return void call;
    });
    expect(await (await system.chat('Take your time.')).text()).toContain('At last.');
    expect(system.upstream.calls.length - calls).toBe(1);
  });
});

describe.skipIf(lacks('redis-server'))('regions on one Redis', () => {
  let redis: RedisService;
  let system: Regions;
  beforeAll(async () => {
    redis = await startRedis();
    system = await startRegions(`redis://127.0.0.1:${redis.redis.options.port}`);
  });
  afterAll(async () => {
    await system?.stop();
    await redis?.stop();
  });

  test('go on with each other’s answers: one that is cut off in mid-answer is read through the other', async () => {
    const words = Array.from({ length: 60 }, (_, index) => `word${index}`);
    system.upstream.behave(say(words.join(' '), { paceMs: 40 }));
    const answer = await system.chat('Tell me all of it.', 'cut');
    const text = await readThrough(answer, /word10\b/, () => system.cutOffNear());
    expect(text).toContain('[DONE]');
    expect(text).not.toMatch(FAILED);
    const told = [...text.matchAll(/"content":"([^"]*)"/g)].map(([, piece]) => piece).join('');
    expect(told.trim()).toBe(words.join(' '));
    expect(system.upstream.calls).toHaveLength(1);
    expect((await system.health()).core_regions).toEqual(['up', 'down']);
  });
});

/** The whole of an answer; `act` once what was read so far matches. */
async function readThrough(answer: Response, until: RegExp, act: () => Promise<void>): Promise<string> {
  let text = '';
  let hasActed = false;
  const utf8 = new TextDecoder();
  for await (const bytes of answer.body as ReadableStream<Uint8Array>) {
    text += utf8.decode(bytes, { stream: true });
    if (hasActed || !until.test(text)) continue;
    hasActed = true;
    await act();
  }
  expect(hasActed).toBe(true);
  return text;
}
