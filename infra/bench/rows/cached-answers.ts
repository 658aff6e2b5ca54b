/** Answers from the cache, every guard on, beside a handler that only reads and writes JSON, and the peer's plain pass-through. */
import { type Load, loadInRounds, ratioOf } from '../measure/load.ts';
import { toMeasured } from '../measure/to-measured.ts';
import { atLeast, type BenchRow, shown } from '../row.ts';

export const cachedAnswers: BenchRow = {
  name: 'cached',
  title: 'cached answers a second',
  async run({ systems, rounds, seconds }) {
    await systems.upstream.behave({ events: 100, firstMs: 0, paceMs: 0 });
    const load: Load = { stream: false, content: 'When do you open on Sundays?', clients: 32, seconds };
    const ours = { target: await systems.edge(), load };
    const results = await loadInRounds(
      {
        ours,
        floor: { target: await systems.jsonFloor(), load },
        peer: { target: await systems.peer(), load },
      },
      rounds,
    );
    const { calls } = await systems.upstream.counts();
    const peerCalls = results.peer.rounds.length;
    return {
      figures: [
        atLeast('by a bare Hono JSON handler', ratioOf(results.ours, results.floor, 'answersPerSecond'), 0.6),
        atLeast("by the peer's pass-through", ratioOf(results.ours, results.peer, 'answersPerSecond'), 5),
        shown(
          "that handler by the peer's pass-through",
          ratioOf(results.floor, results.peer, 'answersPerSecond'),
        ),
      ],
      measured: toMeasured(results),
      notes: [
        'One question over 32 connections; auth, limits, filter, cache and metrics are on; the archive and the line per request are off.',
        `The upstream saw ${calls} calls in all; ${peerCalls} rounds of them the peer's.`,
      ],
    };
  },
};
