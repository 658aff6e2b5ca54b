/** Whole answers handed through, every guard on and nothing from the cache. */
import { type Load, loadInRounds, ratioOf } from '../measure/load.ts';
import { toMeasured } from '../measure/to-measured.ts';
import { atLeast, type BenchRow, shown } from '../row.ts';
import { askedAnew } from '../systems/target.ts';

export const passThrough: BenchRow = {
  name: 'pass-through',
  title: 'pass-through, not streamed',
  async run({ systems, rounds, seconds }) {
    await systems.upstream.behave({ events: 20, firstMs: 0, paceMs: 0 });
    const load: Load = {
      ...askedAnew,
      stream: false,
      clients: 32,
      seconds,
    };
    const results = await loadInRounds(
      {
        ours: { target: await systems.edge(), load },
        floor: { target: await systems.proxyFloor(), load },
        reading: { target: await systems.readingFloor(), load },
        guarded: { target: await systems.guardedFloor(), load },
        peer: { target: await systems.peer(), load },
      },
      rounds,
    );
    const ratio = (one: keyof typeof results, other: keyof typeof results) =>
      ratioOf(results[one], results[other], 'answersPerSecond');
    return {
      figures: [
        atLeast('by a bare proxy on workerd', ratio('ours', 'floor'), 0.65),
        atLeast('by the peer', ratio('ours', 'peer'), 2),
        shown('by a proxy with the same guards written by hand', ratio('ours', 'guarded')),
        shown('that proxy by the bare one', ratio('guarded', 'floor')),
        shown('that proxy by the peer', ratio('guarded', 'peer')),
      ],
      measured: toMeasured(results),
      notes: ['Answers of 20 words, 32 connections, Cache-Control: no-store.'],
    };
  },
};
