/** What each adds to the time to the first word, at low load, over asking the upstream itself. */
import { timeStream } from '../measure/first-token.ts';
import { loadTarget } from '../measure/load.ts';
import { median, percentile } from '../measure/statistics.ts';
import { atMost, type BenchRow, shown } from '../row.ts';
import { type Asked, askedAnew, type BenchTarget } from '../systems/target.ts';

const SAMPLES_PER_ROUND = 80;
/** Readers of the load before the first stream that counts: what runs often is compiled again, by a slower compiler. */
const WARM_UP_CLIENTS = 8;
/** Streams of one target, one right after the other, before the next target's turn. */
const IN_A_ROW = 20;

type Targets = Record<string, BenchTarget & Pick<Asked, 'model'>>;

export const firstToken: BenchRow = {
  name: 'first-token',
  title: 'time to first token added',
  async run({ systems, rounds, seconds }) {
    await systems.upstream.behave({ events: 5, firstMs: 5, paceMs: 0 });
    const { direct } = systems;
    const ours = await systems.edge();
    const floor = await systems.proxyFloor();
    const guarded = await systems.guardedFloor();
    const targets = { direct, ours, floor, guarded, peer: await systems.peer() };
    const { peer: _, ...others } = targets;
    for (const target of Object.values(targets))
      await loadTarget(target, { ...askedAnew, clients: WARM_UP_CLIENTS, seconds });
    const inTurn = await timeStreams(targets, rounds * SAMPLES_PER_ROUND);
    const inARow = await timeStreams(
      { ...others, routed: { ...ours, model: 'auto' } },
      rounds * SAMPLES_PER_ROUND,
      IN_A_ROW,
    );
    return {
      figures: [
        atMost('at the median', inTurn.added('ours', 0.5), 2, 'ms'),
        atMost('at p99', inTurn.added('ours', 0.99), 5, 'ms'),
        shown(
          'a proxy with the same guards written by hand, at the median',
          inTurn.added('guarded', 0.5),
          'ms',
        ),
        shown('the peer, at the median', inTurn.added('peer', 0.5), 'ms'),
        shown('one stream right after another, at the median', inARow.added('ours', 0.5), 'ms'),
        shown('one right after another, where the edge chooses the model', inARow.added('routed', 0.5), 'ms'),
        shown('one right after another, the proxy written by hand', inARow.added('guarded', 0.5), 'ms'),
      ],
      measured: Object.keys(targets).map((target) => ({
        target,
        values: {
          'median ms': median(inTurn.of(target)),
          'p99 ms': percentile(inTurn.of(target), 0.99),
          'added, median ms': inTurn.added(target, 0.5),
          'added, p99 ms': inTurn.added(target, 0.99),
          ...(target in others && { 'in a row: added, median ms': inARow.added(target, 0.5) }),
        },
      })),
      notes: [
        `${rounds * SAMPLES_PER_ROUND} streams each, one at a time, in an order that is drawn anew for each five; the upstream's first word comes after 5 ms. Before that, ${seconds} s of load each.`,
        `In a row: ${IN_A_ROW} streams of one, each right after the one before it, then the next one's turn.`,
      ],
    };
  },
};

/**
 * In an order of chance: who comes right after another Worker finds the runtime's code in the processor's caches.
 * @param inARow How many streams one target's turn has
 */
async function timeStreams(targets: Targets, times: number, inARow = 1): Promise<Samples> {
  const samples = new Samples();
  for (let time = 0; time < times; time += inARow) {
    for (const [name, target] of shuffled(Object.entries(targets))) {
      const own: Asked = { ...askedAnew, ...(target.model !== undefined && { model: target.model }) };
      for (let stream = 0; stream < inARow; stream++)
        samples.of(name).push((await timeStream(target, own)).firstTokenMs);
    }
  }
  return samples;
}

/** Times to the first word, in milliseconds. */
class Samples {
  readonly #byTarget = new Map<string, number[]>();

  of(target: string): number[] {
    const samples = this.#byTarget.get(target) ?? [];
    this.#byTarget.set(target, samples);
    return samples;
  }

  /** Over asking the upstream itself. */
  added(target: string, part: number): number {
    return percentile(this.of(target), part) - percentile(this.of('direct'), part);
  }
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  const places = items.map((item) => ({ item, place: Math.random() }));
  return places.sort((one, other) => one.place - other.place).map(({ item }) => item);
}
