/** Many open streams in one edge process: its memory for each, and whether others wait longer for their first word. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { timeStream } from '../measure/first-token.ts';
import { openFileLimit, residentBytes } from '../measure/process-usage.ts';
import { median } from '../measure/statistics.ts';
import { atLeast, atMost, type BenchRow } from '../row.ts';
import { type Asked, type BenchTarget, toBody } from '../systems/target.ts';

const WANTED = 10_000;
/** Of a process's open files, those that are no stream. */
const OTHER_FILES = 200;
const OTHERS = 40;

export const openStreams: BenchRow = {
  name: 'open-streams',
  title: 'open streams held by one edge process',
  async run({ systems }) {
    // A stream takes a connection in and one out.
    const count = Math.min(WANTED, Math.floor((openFileLimit() - OTHER_FILES) / 2));
    const edge = await systems.edge();
    const { upstream } = systems;
    const asked: Asked = { stream: true, content: 'Hold.', headers: { 'cache-control': 'no-store' } };
    await upstream.behave({ events: 3, firstMs: 5, paceMs: 0 });
    for (let warm = 0; warm < 200; warm++) await timeStream(edge, asked);
    const alone = await othersMs(edge, asked);
    // One word at once, the next one after the bench.
    await upstream.behave({ events: 2, firstMs: 0, paceMs: 300_000 });
    const beforeBytes = residentBytes(edge.pid);
    const holder = await holdStreams(edge, asked, count);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const { open } = await upstream.counts();
    const eachKb = (residentBytes(edge.pid) - beforeBytes) / open / 1000;
    await upstream.behave({ events: 3, firstMs: 5, paceMs: 0 });
    const amongMany = await othersMs(edge, asked);
    await holder.leave();
    return {
      figures: [
        atLeast('open at once', open, WANTED),
        atMost('memory a stream', eachKb, 30, 'kB'),
        atMost("others' time to first token, by that without them", amongMany / alone, 2),
      ],
      measured: [
        { target: 'ours', values: { 'alone, median ms': alone, 'among them, median ms': amongMany } },
      ],
      notes:
        count < WANTED
          ? [
              `This machine lets a process have ${openFileLimit().toLocaleString('en-US')} files open, which is ${count.toLocaleString('en-US')} streams: one connection in and one out each.`,
            ]
          : [],
    };
  },
};

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
