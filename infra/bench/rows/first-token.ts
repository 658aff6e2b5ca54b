/** What each adds to the time to the first word, at low load, over asking the upstream itself. */
import { timeStream } from '../measure/first-token.ts';
import { median, percentile } from '../measure/statistics.ts';
import { atMost, type BenchRow } from '../row.ts';
import type { Asked } from '../systems/target.ts';

const SAMPLES_PER_ROUND = 60;

export const firstToken: BenchRow = {
  name: 'first-token',
  title: 'time to first token added',
  async run({ systems, rounds }) {
    await systems.upstream.behave({ events: 5, firstMs: 5, paceMs: 0 });
    const edge = await systems.edge();
    const targets = {
      direct: systems.direct,
      ours: edge,
      floor: await systems.proxyFloor(),
      guarded: { ...(await systems.guardedFloor()), headers: edge.headers },
      peer: await systems.peer(),
    };
    const asked: Asked = {
      stream: true,
      content: 'When do you open on Sundays?',
      headers: { 'cache-control': 'no-store' },
    };
    const names = Object.keys(targets) as (keyof typeof targets)[];
    const samples = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<
      (typeof names)[number],
      number[]
    >;
    for (let round = -1; round < rounds; round++) {
      for (let sample = 0; sample < (round < 0 ? 20 : SAMPLES_PER_ROUND); sample++) {
        for (const name of names) {
          const { firstTokenMs } = await timeStream(targets[name], asked);
          // The first round warms up.
          if (round >= 0) samples[name].push(firstTokenMs);
        }
      }
    }
    const added = (name: (typeof names)[number], part: number) =>
      percentile(samples[name], part) - percentile(samples.direct, part);
    return {
      figures: [
        atMost('at the median', added('ours', 0.5), 2, 'ms'),
        atMost('at p99', added('ours', 0.99), 5, 'ms'),
        {
          what: 'a proxy with the same guards written by hand, at the median',
          value: added('guarded', 0.5),
          unit: 'ms',
        },
        { what: 'the peer, at the median', value: added('peer', 0.5), unit: 'ms' },
      ],
      measured: names.map((target) => ({
        target,
        values: {
          'median ms': median(samples[target]),
          'p99 ms': percentile(samples[target], 0.99),
          'added, median ms': added(target, 0.5),
          'added, p99 ms': added(target, 0.99),
        },
      })),
      notes: [
        `${rounds * SAMPLES_PER_ROUND} streams each, one at a time and in turn; the upstream's first word comes after 5 ms.`,
      ],
    };
  },
};
