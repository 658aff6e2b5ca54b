/** Many open streams in one edge process: its memory for each, and whether others wait longer for their first word. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { timeStream } from '../measure/first-token.ts';
import { openFileLimit, openFiles, residentBytes } from '../measure/process-usage.ts';
import { median } from '../measure/statistics.ts';
import { atLeast, atMost, type BenchRow, shown } from '../row.ts';
import type { BenchSystems } from '../systems/systems.ts';
import { type Asked, type BenchTarget, toBody } from '../systems/target.ts';

const WANTED = 10_000;
/** Files that are kept free besides those that a process has open before. */
const SPARE_FILES = 300;
const FILES_A_STREAM = 4;
const OTHERS = 40;

export const openStreams: BenchRow = {
  name: 'open-streams',
  title: 'open streams held by one edge process',
  async run({ systems }) {
    const limit = openFileLimit();
    const edge = await systems.edge();
    const free = limit - SPARE_FILES - openFiles(edge.pid);
    const count = Math.min(WANTED, Math.floor(free / FILES_A_STREAM));
    const ours = await hold(edge, systems, count);
    const floor = await hold(await systems.proxyFloor(), systems, count);
    const reading = await hold(await systems.readingFloor(), systems, count);
    const notes = [
      'The floor says what workerd itself keeps for two connections and their HTTP.',
      `workerd ${process.platform === 'linux' ? 'on Linux ' : ''}has ${FILES_A_STREAM} files open for a stream that it hands on (each of its two connections twice).`,
    ];
    if (count < WANTED) {
      notes.push(
        `This machine lets a process have ${limit.toLocaleString('en-US')} files open, so no more than ${count.toLocaleString('en-US')} streams were asked for.`,
      );
    }
    return {
      figures: [
        atLeast('open at once', ours.open, WANTED),
        atMost('memory a stream', ours.eachKb, 30, 'kB'),
        shown('memory a stream of the bare proxy', floor.eachKb, 'kB'),
        shown('memory a stream of a proxy that holds each piece in JavaScript', reading.eachKb, 'kB'),
        atMost("others' time to first token, by that without them", ours.amongManyMs / ours.aloneMs, 2),
      ],
      measured: Object.entries({ ours, floor, reading }).map(([target, held]) => ({
        target,
        values: {
          open: held.open,
          'kB a stream': held.eachKb,
          'others alone, median ms': held.aloneMs,
          'others among them, median ms': held.amongManyMs,
        },
      })),
      notes,
    };
  },
};

interface Held {
  open: number;
  eachKb: number;
  aloneMs: number;
  amongManyMs: number;
}

async function hold(target: BenchTarget, { upstream }: BenchSystems, count: number): Promise<Held> {
  const asked: Asked = { stream: true, content: 'Hold.', headers: { 'cache-control': 'no-store' } };
  await upstream.behave({ events: 3, firstMs: 5, paceMs: 0 });
  for (let warm = 0; warm < 200; warm++) await timeStream(target, asked);
  const aloneMs = await othersMs(target, asked);
  // One word at once, the next one after the bench.
  await upstream.behave({ events: 2, firstMs: 0, paceMs: 300_000 });
  const beforeBytes = residentBytes(target.pid);
  const holder = await holdStreams(target, asked, count);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const { open } = await upstream.counts();
  const eachKb = (residentBytes(target.pid) - beforeBytes) / open / 1000;
  await upstream.behave({ events: 3, firstMs: 5, paceMs: 0 });
  const amongManyMs = await othersMs(target, asked);
  await holder.leave();
  return { open, eachKb, aloneMs, amongManyMs };
}

async function othersMs(edge: BenchTarget, asked: Asked): Promise<number> {
  const times: number[] = [];
  for (let other = 0; other < OTHERS; other++) times.push((await timeStream(edge, asked)).firstTokenMs);
  return median(times);
}

/** The readers are a process of their own, which has a limit of open files of its own. */
async function holdStreams(
  edge: BenchTarget,
  asked: Asked,
  count: number,
): Promise<{ leave(): Promise<void> }> {
  const child = fork(join(import.meta.dirname, '../systems/holder-process.ts'), { stdio: 'inherit' });
  const headers = { 'content-type': 'application/json', ...edge.headers, ...asked.headers };
  child.send({ url: edge.url, headers, body: toBody(asked), count });
  const [{ held, failed }] = (await once(child, 'message')) as [{ held: number; failed: number }];
  if (failed > 0) console.error(`  ${failed} of ${count} streams could not be opened, ${held} are`);
  return {
    async leave() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}
