/** Core instances that share a Redis: any of them serves what another one runs. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAll } from '../../shared/testing/streams.ts';
import { say } from './scripted-upstream.ts';
import { lacks } from './services.ts';
import { startTwoCores, type TwoCores } from './two-cores.ts';

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
