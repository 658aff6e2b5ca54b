/** Core instances that share a Redis: any of them serves what another one runs. */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAll } from '../../shared/testing/streams.ts';
import { say } from './scripted-upstream.ts';
import { lacks } from './services.ts';
import { startTwoCores, type TwoCores } from './two-cores.ts';

describe.skipIf(lacks('redis-server'))('the quota of an upstream', () => {
  const perMinute = 3;
  let system: TwoCores;
  beforeAll(async () => {
    const path = join(tmpdir(), `edgewise-quota-${process.pid}.toml`);
    const quota = `quota = { requests_per_minute = ${perMinute} }`;
    await writeFile(
      path,
      `[dispatch]\npatience_ms = 1500\n[providers.openai]\nkind = "openai"\nbase_url = "http://127.0.0.1:1/v1"\n${quota}\n`,
    );
    system = await startTwoCores({ EDGEWISE_MODELS_FILE: path });
  });
  afterAll(() => system?.stop());

  test('is one for both cores: it is used up, never passed, and who cannot wait is answered by a lower rung', async () => {
    const calls = Array.from({ length: 20 }, async (_, index) => {
      const core = system.cores[index % 2] as (typeof system.cores)[0];
      const events = await readAll(
        await core.start({ id: `q${index}`, model: 'smart' }, { tenant: `t${index % 4}` }),
      );
      expect(events.at(-1)?.event.type).toBe('turn-end');
      const start = events[0]?.event;
      return start?.type === 'model-start' ? start : undefined;
    });
    const starts = await Promise.all(calls);
    expect(system.upstream.calls).toHaveLength(perMinute);
    expect(starts.filter((start) => start?.model === 'scripted-1')).toHaveLength(perMinute);
    const others = starts.filter((start) => start?.model !== 'scripted-1');
    for (const start of others)
      expect(start).toMatchObject({ fallback: { from: 'scripted-1', reason: 'model_busy' } });
    expect(new Set(others.map((start) => start?.model))).toEqual(new Set(['edgewise-extractive']));
  });

  test('that is used up is told to who named the model, with the time to come back', async () => {
    const [one] = system.cores;
    const soon = { deadlineMs: Date.now() + 2000 };
    const events = await readAll(await one.start({ id: 'named' }, soon));
    const last = events.at(-1)?.event;
    expect(last).toMatchObject({ type: 'error', error: { code: 'model_busy', retryable: true } });
    const waitMs = last?.type === 'error' ? (last.error.retryAfterMs ?? 0) : 0;
    expect(waitMs).toBeGreaterThan(20_000);
    expect(waitMs).toBeLessThan(63_000);
    expect(system.upstream.calls).toHaveLength(perMinute);
  });
});

describe.skipIf(lacks('redis-server'))('two cores on one Redis', () => {
  let system: TwoCores;
  beforeAll(async () => {
    system = await startTwoCores();
  });
  afterAll(() => system?.stop());

  test('one reads on what the other generates, and the model is called once', async () => {
    const [one, two] = system.cores;
    system.upstream.behave(say('word '.repeat(60), { paceMs: 5 }));
    const first = readAll(await one.start({ id: 'shared' }));
    const late = readAll(await two.attach('shared', 4));
    const again = readAll(await two.start({ id: 'shared' }));
    const all = await first;
    expect(all.at(-1)?.event.type).toBe('turn-end');
    expect(await late).toEqual(all.slice(5));
    expect(await again).toEqual(all);
    expect(system.upstream.calls).toHaveLength(1);
  });

  test('one stops what the other generates, and the upstream hears it', async () => {
    const [one, two] = system.cores;
    system.upstream.behave(say('word '.repeat(2000), { paceMs: 5 }));
    const reading = readAll(await one.start({ id: 'stopped' }));
    await two.attach('stopped', 3);
    expect(await two.cancel('stopped')).toEqual({ status: 'cancelled' });
    expect((await reading).at(-1)?.event).toMatchObject({ type: 'error', error: { code: 'cancelled' } });
    await system.upstream.calls.at(-1)?.aborted;
  });

  test('when one is killed the other says what was said, and that the rest is lost', async () => {
    const [one, two] = system.cores;
    system.upstream.behave(say('word '.repeat(2000), { paceMs: 5 }));
    await one.start({ id: 'killed' });
    const reading = readAll(await two.attach('killed', -1));
    await new Promise((resolve) => setTimeout(resolve, 300));
    one.process.kill('SIGKILL');
    const events = await reading;
    expect(events.length).toBeGreaterThan(10);
    expect(events.at(-1)?.event).toMatchObject({ type: 'error', error: { code: 'generation_lost' } });
    expect(await readAll(await two.attach('killed', -1))).toEqual(events);
  }, 30_000);
});
