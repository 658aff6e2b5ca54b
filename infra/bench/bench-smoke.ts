import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { startRedis } from '../e2e/services.ts';
import { workerBundle } from '../local/bundle-paths.ts';
import { runCommand } from '../local/command.ts';
import { timeStream } from './measure/first-token.ts';
import { upstreamCalls } from './rows/identical-prompts.ts';
import { type CountingStore, startCountingStore } from './smoke/counting-store.ts';
import { type Counts, readCounts, regressions, writeCounts } from './smoke/counts.ts';
import { type BenchEdge, startBenchEdge } from './systems/edge.ts';
import { type BenchUpstream, startBenchUpstream } from './systems/upstream.ts';

/** Requests over which commands are counted: two shares of limits are taken in that time. */
const REQUESTS = 100;
const EVENTS = 100;

await runCommand({
  name: 'npm run bench:smoke',
  summary:
    'Counts upstream calls, store commands and bytes: figures that are the same on any machine. ' +
    'Fails when one is worse than in infra/bench/smoke/counts.json.',
  options: { write: { type: 'boolean', help: 'Write the counts to infra/bench/smoke/counts.json first' } },
  example: 'npm run bench:smoke',
  run: ({ write }) => compareCounts(write),
});

async function compareCounts(isWritten: boolean): Promise<void> {
  const upstream = await startBenchUpstream();
  const redis = await startRedis();
  const store = await startCountingStore(redis.url);
  const env = { UPSTASH_REDIS_REST_URL: store.url, UPSTASH_REDIS_REST_TOKEN: redis.token };
  const edge = await startBenchEdge({ upstreamPort: upstream.port, env });
  try {
    const counted = await count(edge, upstream, store);
    if (isWritten) await writeCounts(counted);
    const committed = await readCounts();
    for (const [name, value] of Object.entries(counted))
      console.log(`${name}: ${value} (committed ${committed[name as keyof Counts]})`);
    const worse = regressions(counted, committed);
    if (worse.length > 0) throw new Error(`\nWorse than infra/bench/smoke/counts.json:\n${worse.join('\n')}`);
  } finally {
    await edge.stop();
    await store.stop();
    await redis.stop();
    await upstream.stop();
  }
}

async function count(target: BenchEdge, model: BenchUpstream, store: CountingStore): Promise<Counts> {
  const identical = await upstreamCalls(target, model, 'Which colours does the chair come in?');
  await model.behave({ events: EVENTS, firstMs: 0, paceMs: 0 });
  const noStore = { 'cache-control': 'no-store' };
  const { bytes, events } = await timeStream(target, { stream: true, content: 'Tell me.', headers: noStore });

  await ask(target, 'Where are you?');
  const hits = await commands(store, () => times(() => ask(target, 'Where are you?')));
  const asked = await commands(store, () => times((at) => ask(target, `Where is shop number ${at}?`)));
  const session = await commands(store, () =>
    times(() => ask(target, 'And then?', { ...noStore, 'x-session-id': 'smoke' })),
  );
  return {
    upstreamCalls: identical,
    redisCommandsPerHit: hits,
    redisCommandsPerAskedPrompt: asked,
    redisCommandsPerSessionTurn: session,
    bundleKilobytes: rounded(gzipSync(await readFile(workerBundle)).length / 1000),
    bytesPerEvent: rounded(bytes / events),
  };
}

function ask(target: BenchEdge, content: string, headers?: Record<string, string>) {
  return timeStream(target, { stream: true, content, ...(headers && { headers }) });
}

/** One after the other, so that what each takes is the same every time. */
async function times(once: (at: number) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < REQUESTS; at++) await once(at);
}

/** Commands that the store was given for one request, with those that come after the answer. */
async function commands(store: CountingStore, work: () => Promise<void>): Promise<number> {
  const before = store.commands;
  await work();
  await new Promise((resolve) => setTimeout(resolve, 500));
  return rounded((store.commands - before) / REQUESTS);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
