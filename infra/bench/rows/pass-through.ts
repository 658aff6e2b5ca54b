/** Whole answers handed through, every guard on and nothing from the cache. */
import { type Load, loadInRounds, ratioOf } from '../measure/load.ts';
import { toMeasured } from '../measure/to-measured.ts';
import { atLeast, type BenchRow } from '../row.ts';

export const passThrough: BenchRow = {
  name: 'pass-through',
  title: 'pass-through, not streamed',
  async run({ systems, rounds, seconds }) {
    await systems.upstream.behave({ events: 20, firstMs: 0, paceMs: 0 });
    const load: Load = {
      stream: false,
      content: 'When do you open on Sundays?',
      headers: { 'cache-control': 'no-store' },
      clients: 32,
      seconds,
    };
    const results = await loadInRounds(
      {
        ours: { target: await systems.edge(), load },
        floor: { target: await systems.proxyFloor(), load },
        reading: { target: await systems.readingFloor(), load },
        peer: { target: await systems.peer(), load },
      },
      rounds,
    );
    return {
      figures: [
        atLeast('by a bare proxy on workerd', ratioOf(results.ours, results.floor, 'answersPerSecond'), 0.65),
        {
          what: 'by a proxy on workerd that reads and writes the JSON',
          value: ratioOf(results.ours, results.reading, 'answersPerSecond'),
          unit: '',
        },
        atLeast('by the peer', ratioOf(results.ours, results.peer, 'answersPerSecond'), 2),
      ],
      measured: toMeasured(results),
      notes: ['Answers of 20 words, 32 connections, Cache-Control: no-store.'],
    };
  },
};
