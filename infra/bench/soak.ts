import { seededRandom } from '../../shared/testing/streams.ts';
import { runCommand, type Values } from '../local/command.ts';
import { residentBytes } from './measure/process-usage.ts';
import { median } from './measure/statistics.ts';
import { createSoakReader, type SoakCounts } from './soak/soak-reader.ts';
import { type BenchSystems, startSystems } from './systems/systems.ts';

const EVENTS = 100;
const SAMPLE_MS = 5000;
/** How long, and with how many readers, the highest load is looked for. */
const HIGHEST_MS = 15_000;
const READERS = 150;
/** Memory may be so much larger at the end than after the first quarter, when all is warm. */
const MOST_GROWTH = 1.25;

const options = {
  minutes: { type: 'number', value: 'N', default: 10, help: 'How long to run' },
  seed: { type: 'number', value: 'N', default: 1, help: 'Seed of the random choices' },
  archive: {
    type: 'string',
    value: 'on|off',
    default: 'off',
    help: 'on: core and database work beside the edge, on the same processors',
  },
} as const;

await runCommand({
  name: 'npm run bench:soak',
  summary:
    'Runs the edge at half of its highest load, with clients that disconnect and come back at random. ' +
    'Fails when memory grows, a stream stays open, or a turn or a word is lost.',
  options,
  example: 'npm run bench:soak -- --minutes 2',
  async run(values) {
    const systems = await startSystems({ env: { EDGEWISE_ARCHIVE: values.archive } });
    try {
      const failures = await soak(systems, values);
      if (failures.length > 0) throw new Error(failures.map((failure) => `soak: ${failure}`).join('\n'));
      console.log('soak: memory is flat, no stream is open, no turn is lost');
    } finally {
      await systems.stop();
    }
  },
});

async function soak(systems: BenchSystems, { minutes, seed }: Values<typeof options>): Promise<string[]> {
  const { upstream } = systems;
  const edge = await systems.edge();
  // Answers of 100 words over a second each, so that there is something to leave and to come back to.
  await upstream.behave({ events: EVENTS, firstMs: 5, paceMs: 10 });
  const random = seededRandom(seed);
  const newCounts = (): SoakCounts => ({ asked: 0, whole: 0, left: 0, resumed: 0, aborted: 0, faults: [] });
  const highest = await highestRate(createSoakReader({ edge, events: EVENTS, random, counts: newCounts() }));
  const perSecond = highest / 2;
  console.log(`highest ${highest.toFixed(0)} turns a second; soaking at ${perSecond.toFixed(0)}`);

  const counts = newCounts();
  const read = createSoakReader({ edge, events: EVENTS, random, counts });
  const memory: number[] = [];
  const running = new Set<Promise<void>>();
  const endMs = Date.now() + minutes * 60_000;
  let nextSampleMs = 0;
  let due = 0;
  let lastMs = Date.now();
  while (Date.now() < endMs) {
    const nowMs = Date.now();
    due += ((nowMs - lastMs) / 1000) * perSecond;
    lastMs = nowMs;
    for (; due >= 1; due--) {
      const one = read().finally(() => running.delete(one));
      running.add(one);
    }
    if (nowMs >= nextSampleMs) {
      nextSampleMs = nowMs + SAMPLE_MS;
      memory.push(residentBytes(edge.pid));
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Promise.all(running);
  await new Promise((resolve) => setTimeout(resolve, 4000));
  const { open } = await upstream.counts();
  return judge(counts, memory, open);
}

/** The same readers, each asking again as soon as it is through, more than can be served at full pace. */
async function highestRate(read: () => Promise<void>): Promise<number> {
  const startMs = Date.now();
  let through = 0;
  const reader = async () => {
    while (Date.now() - startMs < HIGHEST_MS) {
      await read();
      through++;
    }
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  return (through * 1000) / (Date.now() - startMs);
}

function judge(counts: SoakCounts, memory: number[], open: number): string[] {
  const quarter = Math.max(1, Math.floor(memory.length / 4));
  const early = median(memory.slice(quarter, 2 * quarter));
  const late = median(memory.slice(-quarter));
  const { asked, whole, left, resumed, aborted, faults } = counts;
  console.log(
    `${asked} turns: ${whole} read to the end, ${left} left and ${resumed} taken up again, ${aborted} aborted`,
  );
  console.log(
    `memory ${(early / 1e6).toFixed(0)} MB after a quarter, ${(late / 1e6).toFixed(0)} MB at the end`,
  );
  console.log(`${open} upstream calls still open`);
  const failed = faults.slice(0, 10);
  if (faults.length > 10) failed.push(`and ${faults.length - 10} more`);
  if (open > 0) failed.push(`${open} streams are left over`);
  if (late > early * MOST_GROWTH)
    failed.push(`memory grew from ${(early / 1e6).toFixed(0)} to ${(late / 1e6).toFixed(0)} MB`);
  if (whole + resumed + aborted !== asked) failed.push(`${asked - whole - resumed - aborted} turns are lost`);
  return failed;
}
