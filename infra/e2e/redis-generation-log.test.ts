import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { describeGenerationLog } from '../../core/generations/generation-log.contract.ts';
import { createGenerations } from '../../core/generations/generations.ts';
import {
  createRedisGenerationLog,
  type RedisGenerationLog,
  type RedisGenerationLogOptions,
} from '../../core/generations/redis-generation-log.ts';
import type { ChatEvent, ChatModel } from '../../shared/model/chat-model.ts';
import type { NumberedChatEvent } from '../../shared/protocol/generation-protocol.ts';
import { someContext } from '../../shared/testing/request-context.ts';
import { modelStart, scriptedModel, textDelta, turnEnd } from '../../shared/testing/scripted-model.ts';
import { readAll } from '../../shared/testing/streams.ts';
import { projectRoot } from '../local/settings.ts';
import { lacks, type RedisService, startRedis } from './services.ts';

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const reader = () => new AbortController().signal;
const nobody = () => undefined;
const lost = { type: 'error', error: { code: 'generation_lost' } };

describe.skipIf(lacks('redis-server'))('with a real Redis', () => {
  let service: RedisService;
  let port: number;
  const logs: RedisGenerationLog[] = [];
  const clients: Redis[] = [];
  beforeAll(async () => {
    service = await startRedis();
    port = service.redis.options.port ?? 0;
  });
  afterAll(async () => {
    for (const log of logs) log.close();
    for (const client of clients) client.disconnect();
    await service.stop();
  });

  /** As one more core instance has it: with connections of its own. */
  function instance(options: Partial<RedisGenerationLogOptions> = {}): RedisGenerationLog {
    const redis = new Redis(port, '127.0.0.1');
    redis.on('error', () => undefined);
    clients.push(redis);
    const log = createRedisGenerationLog({ redis, now: Date.now, wait, ...options });
    logs.push(log);
    return log;
  }

  async function read(log: RedisGenerationLog, key: string, after = -1): Promise<NumberedChatEvent[]> {
    const stream = await log.read(key, after, reader());
    if (!stream) throw new Error('not known');
    return readAll(stream);
  }
  const streamKey = (key: string) => `edgewise:generation:{${key}}:events`;
  const stateKey = (key: string) => `edgewise:generation:{${key}}:state`;

  describeGenerationLog('the Redis log', async () => {
    await service.redis.flushall();
    return instance();
  });

  describe('two instances', () => {
    test('serve one generation: from any number, exactly the rest, and live', async () => {
      const [owner, other] = [instance(), instance()];
      await owner.open('shared', nobody);
      const events: ChatEvent[] = [
        modelStart,
        ...Array.from({ length: 30 }, (_, index) => textDelta(`${index} `)),
        turnEnd,
      ];
      const numbered = events.map((event, seq) => ({ seq, event }));
      const early = Array.from({ length: 10 }, (_, index) => read(other, 'shared', index * 3 - 1));
      const late: Promise<NumberedChatEvent[]>[] = [];
      for (const event of events) {
        await owner.append('shared', event);
        if (late.length < 32) late.push(read(other, 'shared', late.length - 1));
        await wait(1);
      }
      for (const [index, asked] of early.entries()) expect(await asked).toEqual(numbered.slice(index * 3));
      for (const [index, asked] of late.entries()) expect(await asked).toEqual(numbered.slice(index));
      for (let after = -1; after < events.length; after++) {
        expect(await read(other, 'shared', after)).toEqual(numbered.slice(after + 1));
      }
    });

    test('open it once between them', async () => {
      const several = Array.from({ length: 5 }, () => instance());
      const opened = await Promise.all(
        Array.from({ length: 50 }, (_, index) => several[index % 5]?.open('once', nobody)),
      );
      expect(opened.filter((isMine) => isMine)).toHaveLength(1);
    });

    test('bring word of an event at once', async () => {
      // Without word a reader would look every 2,500 ms.
      const [owner, other] = [instance(), instance()];
      await owner.open('prompt', nobody);
      await owner.append('prompt', modelStart);
      const events = (await other.read('prompt', 0, reader()))?.getReader();
      const delaysMs: number[] = [];
      for (let count = 0; count < 20; count++) {
        const next = events?.read();
        await wait(5);
        const startMs = performance.now();
        await owner.append('prompt', textDelta('x'));
        await next;
        delaysMs.push(performance.now() - startMs);
      }
      await events?.cancel();
      expect(delaysMs.sort((a, b) => a - b)[10]).toBeLessThan(100);
    });

    test('keep two connections each, however many read', async () => {
      const [owner, other] = [instance(), instance()];
      await owner.open('many', nobody);
      await owner.append('many', modelStart);
      const readers = Array.from({ length: 200 }, () => read(other, 'many'));
      await wait(200);
      const list = await service.redis.call('CLIENT', 'LIST');
      // Those of the suite, and two for each log that was ever made.
      expect(String(list).trim().split('\n').length).toBeLessThanOrEqual(2 * logs.length + 2);
      await owner.append('many', turnEnd);
      for (const events of await Promise.all(readers)) expect(events).toHaveLength(2);
      const channels = (await service.redis.call('PUBSUB', 'CHANNELS', '*{many}*')) as string[];
      expect(channels).toEqual([]);
    });
  });

  describe('a broken connection', () => {
    test('in the middle of a generation loses and repeats nothing', async () => {
      const [owner, other] = [instance(), instance()];
      await owner.open('broken', nobody);
      await owner.append('broken', modelStart);
      const all = read(other, 'broken');
      for (let count = 0; count < 200; count++) {
        await owner.append('broken', textDelta(`${count} `));
        if (count % 50 === 25) {
          await service.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
          await service.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
        }
        await wait(1);
      }
      await owner.append('broken', turnEnd);
      const expected = Array.from({ length: 200 }, (_, count) => textDelta(`${count} `));
      expect((await all).map(({ event }) => event)).toEqual([modelStart, ...expected, turnEnd]);
      expect((await all).map(({ seq }) => seq)).toEqual(Array.from({ length: 202 }, (_, seq) => seq));
    });

    test('is told as what the edge tries again, and ends what cannot be written', async () => {
      const gone = await startRedis();
      const redis = new Redis(gone.redis.options.port ?? 0, '127.0.0.1', {
        maxRetriesPerRequest: 0,
        retryStrategy: () => 50,
      });
      redis.on('error', () => undefined);
      clients.push(redis);
      const log = createRedisGenerationLog({ redis, leaseMs: 300, now: Date.now, wait });
      logs.push(log);
      const stop = vi.fn();
      await log.open('gone', stop);
      await log.append('gone', modelStart);
      await gone.stop();
      await expect(log.state('gone')).rejects.toMatchObject({ code: 'core_unavailable' });
      await expect(log.read('gone', -1, reader())).rejects.toMatchObject({ code: 'core_unavailable' });
      await expect(log.append('gone', turnEnd)).rejects.toMatchObject({ code: 'core_unavailable' });
      expect(stop).toHaveBeenCalledWith(expect.objectContaining({ code: 'generation_lost' }));
    });
  });

  describe('an owner', () => {
    const children: ChildProcess[] = [];
    afterAll(() => {
      for (const child of children) child.kill('SIGKILL');
    });
    /** @returns once it is at work */
    async function startOwner(
      key: string,
      leaseMs: number,
    ): Promise<{ child: ChildProcess; said: () => string }> {
      const args = ['infra/e2e/generation-owner.ts', String(port), key, String(leaseMs)];
      const child = spawn(process.execPath, args, { cwd: projectRoot, stdio: ['ignore', 'pipe', 'inherit'] });
      children.push(child);
      let said = '';
      child.stdout?.on('data', (bytes) => {
        said += bytes;
      });
      await expect.poll(() => said, { timeout: 10_000 }).toContain('running');
      return { child, said: () => said };
    }

    test('that was killed leaves what it said and one end, whoever notices', async () => {
      const { child } = await startOwner('killed', 500);
      const others = Array.from({ length: 3 }, () => instance({ leaseMs: 500 }));
      const before = others.map((other) => read(other, 'killed'));
      child.kill('SIGKILL');
      await once(child, 'exit');
      expect(await others[0]?.state('killed')).toBe('running');
      await wait(700);
      const after = Array.from({ length: 12 }, (_, index) =>
        read(others[index % 3] as RedisGenerationLog, 'killed'),
      );
      const all = await Promise.all([...before, ...after]);
      for (const events of all) expect(events).toEqual(all[0]);
      const events = all[0] ?? [];
      expect(events.length).toBeGreaterThan(10);
      expect(events.at(-1)?.event).toMatchObject(lost);
      expect(events.filter(({ event }) => event.type === 'error')).toHaveLength(1);
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index));
      expect(await others[1]?.state('killed')).toBe('finished');
      expect(await others[2]?.cancel('killed')).toBe('finished');
      // It is not begun again by itself.
      expect(await others[0]?.open('killed', nobody)).toBe(false);
    });

    test('that was killed is noticed by a cancel, too', async () => {
      const { child } = await startOwner('cancelled-dead', 500);
      child.kill('SIGKILL');
      expect(await instance({ leaseMs: 500 }).cancel('cancelled-dead')).toBe('finished');
      expect((await read(instance(), 'cancelled-dead')).at(-1)?.event).toMatchObject(lost);
    });

    test('that slept too long adds nothing more, and hears that it has lost', async () => {
      const { child, said } = await startOwner('slept', 400);
      const other = instance({ leaseMs: 400 });
      child.kill('SIGSTOP');
      const events = await read(other, 'slept');
      expect(events.at(-1)?.event).toMatchObject(lost);
      child.kill('SIGCONT');
      await expect.poll(said, { timeout: 5000 }).toContain('stopped: generation_lost');
      expect(await read(other, 'slept')).toEqual(events);
    });

    test('whose generation was given up adds nothing to it, with what it says next', async () => {
      const [owner, other] = [instance(), instance()];
      const stop = vi.fn();
      await owner.open('given-up', stop);
      await owner.append('given-up', modelStart);
      await expect.poll(() => service.redis.xlen(streamKey('given-up'))).toBe(1);
      await service.redis.hset(stateKey('given-up'), 'lease', 1);
      expect(await other.state('given-up')).toBe('finished');
      for (let count = 0; count < 5; count++) {
        await owner.append('given-up', textDelta('too late'));
        await wait(2);
      }
      await owner.append('given-up', turnEnd);
      expect(stop).toHaveBeenCalledWith(expect.objectContaining({ code: 'generation_lost' }));
      expect(await service.redis.xlen(streamKey('given-up'))).toBe(2);
    });

    test('that is busy and silent for long keeps its generation', async () => {
      const [owner, other] = [instance({ leaseMs: 300 }), instance({ leaseMs: 300 })];
      await owner.open('silent', nobody);
      await owner.append('silent', modelStart);
      const all = read(other, 'silent');
      await wait(1200);
      await owner.append('silent', turnEnd);
      expect((await all).at(-1)?.event).toEqual(turnEnd);
    });
  });

  describe('a cancel', () => {
    const context = someContext({ deadlineMs: Date.now() + 600_000 });
    const request = (id: string) => ({ id, model: 'm', messages: [], params: {}, detached: true });
    const generationsOf = (model: ChatModel, log = instance()) =>
      createGenerations({
        log,
        resolveModel: () => model,
        maxRunning: 10_000,
        maxMs: 600_000,
        now: Date.now,
        onEnd: () => undefined,
      });

    test('reaches the instance that runs it, ends the model call, and says so', async () => {
      const model = scriptedModel('m', [modelStart, textDelta('a'), new Promise(() => undefined)]);
      const [one, two] = [generationsOf(model), generationsOf(scriptedModel('m', []))];
      const events = readAll(await one.start(context, request('c1'), reader()));
      const there = readAll(await two.attach(context, 'c1', -1, reader()));
      await wait(20);
      const startMs = performance.now();
      expect(await two.cancel(context, 'c1')).toEqual({ status: 'cancelled' });
      expect(performance.now() - startMs).toBeLessThan(1000);
      expect(model.aborted).toBe(1);
      expect((await events).at(-1)?.event).toMatchObject({ type: 'error', error: { code: 'cancelled' } });
      expect(await there).toEqual(await events);
      expect(await one.cancel(context, 'c1')).toEqual({ status: 'cancelled' });
    });

    test('that came after the end, or met nothing, says so', async () => {
      const model = scriptedModel('m', [modelStart, textDelta('a'), turnEnd]);
      const [one, two] = [generationsOf(model), generationsOf(model)];
      await readAll(await one.start(context, request('c2'), reader()));
      expect(await two.cancel(context, 'c2')).toEqual({ status: 'finished' });
      expect(await two.cancel(context, 'never')).toEqual({ status: 'unknown' });
      expect(await two.cancel({ ...context, tenant: 'x' }, 'c2')).toEqual({ status: 'unknown' });
    });

    test('tells the same as the events, however close to the end it comes', async () => {
      for (let round = 0; round < 40; round++) {
        const model = scriptedModel('m', [modelStart, textDelta('a'), round % 8, turnEnd]);
        const [one, two] = [generationsOf(model), generationsOf(model)];
        const events = readAll(await one.start(context, request(`race${round}`), reader()));
        await wait(round % 5);
        const [first, second] = await Promise.all([
          two.cancel(context, `race${round}`),
          one.cancel(context, `race${round}`),
        ]);
        const last = (await events).at(-1)?.event;
        const truth = last?.type === 'error' ? 'cancelled' : 'finished';
        expect([first, second]).toEqual([{ status: truth }, { status: truth }]);
      }
    });

    test('that the owner could not hear is seen with its next heartbeat', async () => {
      const model = scriptedModel('m', [modelStart, new Promise(() => undefined)]);
      const one = generationsOf(model, instance({ leaseMs: 600 }));
      await one.start(context, request('deaf'), reader());
      await expect.poll(() => service.redis.exists(stateKey(JSON.stringify(['t', 'u', 'deaf'])))).toBe(1);
      await service.redis.hset(stateKey(JSON.stringify(['t', 'u', 'deaf'])), 'cancel', 1);
      await expect.poll(() => model.aborted, { timeout: 2000 }).toBe(1);
    });

    test('the generation is started once by two instances', async () => {
      const model = scriptedModel('m', [modelStart, 30, textDelta('a'), turnEnd]);
      const several = [generationsOf(model), generationsOf(model)];
      const asked = await Promise.all(several.map((one) => one.start(context, request('both'), reader())));
      const [first, second] = await Promise.all(asked.map((stream) => readAll(stream)));
      expect(second).toEqual(first);
      expect(model.requests).toHaveLength(1);
    });
  });

  describe('the time to live', () => {
    test('is renewed while it runs, and begins anew at the end', async () => {
      const log = instance({ leaseMs: 300, keepMs: 2000 });
      await log.open('ttl', nobody);
      await log.append('ttl', modelStart);
      await wait(3000);
      expect(await log.state('ttl')).toBe('running');
      for (const key of [streamKey('ttl'), stateKey('ttl')]) {
        expect(await service.redis.pttl(key)).toBeGreaterThan(2000);
      }
      await log.append('ttl', turnEnd);
      for (const key of [streamKey('ttl'), stateKey('ttl')]) {
        const leftMs = await service.redis.pttl(key);
        expect(leftMs).toBeGreaterThan(1000);
        expect(leftMs).toBeLessThanOrEqual(2000);
      }
      expect(await read(log, 'ttl')).toHaveLength(2);
      await wait(2100);
      expect(await log.state('ttl')).toBe('unknown');
      expect(await log.read('ttl', -1, reader())).toBeUndefined();
      expect(await service.redis.exists(streamKey('ttl'), stateKey('ttl'))).toBe(0);
    });

    test('is set for a generation that nobody owns or reads any more', async () => {
      const log = instance({ leaseMs: 200, keepMs: 300 });
      await log.open('orphan', nobody);
      await log.append('orphan', modelStart);
      log.close();
      await wait(700);
      expect(await service.redis.exists(streamKey('orphan'), stateKey('orphan'))).toBe(0);
    });
  });

  test('events that come fast share their way to Redis', async () => {
    const log = instance();
    await log.open('batched', nobody);
    const before = await scriptCount(service);
    await Promise.all(Array.from({ length: 1000 }, () => log.append('batched', textDelta('x'))));
    await log.append('batched', turnEnd);
    expect((await scriptCount(service)) - before).toBeLessThan(20);
    expect(await read(log, 'batched')).toHaveLength(1001);
  });
});

async function scriptCount({ redis }: RedisService): Promise<number> {
  const stats = await redis.info('commandstats');
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}
