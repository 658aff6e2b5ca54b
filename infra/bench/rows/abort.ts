/** How long the upstream goes on after the client has left. */
import { timeStream } from '../measure/first-token.ts';
import { median, percentile } from '../measure/statistics.ts';
import { atMost, type BenchRow, type Measured, shown } from '../row.ts';
import type { BenchTarget } from '../systems/target.ts';
import type { BenchUpstream } from '../systems/upstream.ts';

const SAMPLES = 40;
/** Who has not aborted by then does not. */
const WAIT_MS = 1500;

export const abort: BenchRow = {
  name: 'abort',
  title: 'from client abort to upstream abort',
  async run({ systems }) {
    const { upstream } = systems;
    // Longer than anybody is waited for.
    await upstream.behave({ events: 1000, firstMs: 0, paceMs: 10 });
    const ours = await abortTimes(await systems.edge(), upstream, SAMPLES);
    const floor = await abortTimes(await systems.proxyFloor(), upstream, SAMPLES);
    const peer = await abortTimes(await systems.peer(), upstream, 5);
    const measured: Measured[] = Object.entries({ ours, floor, peer }).map(([target, { times, asked }]) => ({
      target,
      values: {
        'median ms': median(times),
        'p99 ms': percentile(times, 0.99),
        'never aborted': asked - times.length,
        asked,
      },
    }));
    return {
      figures: [
        atMost('median', median(ours.times), 50, 'ms'),
        atMost('never aborted', ours.asked - ours.times.length, 0),
        shown("the peer's calls never aborted, of 5", peer.asked - peer.times.length),
      ],
      measured,
      notes: [`A call that goes on ${WAIT_MS} ms after its client left counts as never aborted.`],
    };
  },
};

async function abortTimes(
  target: BenchTarget,
  upstream: BenchUpstream,
  asked: number,
): Promise<{ times: number[]; asked: number }> {
  const leftAt = new Map<string, number>();
  for (let sample = 0; sample < asked; sample++) {
    const mark = `${target.name}${sample}`;
    const headers = { 'cache-control': 'no-store' };
    const timing = await timeStream(
      target,
      { stream: true, content: `Tell me. mark-${mark}`, headers },
      true,
    );
    leftAt.set(mark, timing.leftAtMs ?? 0);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  const { aborts } = await upstream.counts();
  const times = [...leftAt].flatMap(([mark, leftMs]) => {
    const abortedMs = aborts[mark];
    return abortedMs === undefined ? [] : [Math.max(0, abortedMs - leftMs)];
  });
  return { times, asked };
}
