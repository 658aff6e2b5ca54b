/** Streams relayed: answers of 100 events, 32 readers. */
import { type Load, loadInRounds, ratioOf } from '../measure/load.ts';
import { toMeasured } from '../measure/to-measured.ts';
import { atLeast, type BenchRow, shown } from '../row.ts';

const EVENTS = 100;

export const streamedTokens: BenchRow = {
  name: 'streamed',
  title: 'streamed tokens a second relayed',
  async run({ systems, rounds, seconds }) {
    await systems.upstream.behave({ events: EVENTS, firstMs: 0, paceMs: 0 });
    const load: Load = {
      stream: true,
      content: 'Tell me about your shop.',
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
    const measured = toMeasured(results).map(({ target, values }) => ({
      target,
      values: { 'tokens a second': EVENTS * (values['answers a second'] ?? 0), ...values },
    }));
    return {
      figures: [
        atLeast('by a bare proxy on workerd', ratioOf(results.ours, results.floor, 'answersPerSecond'), 0.65),
        shown(
          'by a proxy on workerd that holds each piece in JavaScript',
          ratioOf(results.ours, results.reading, 'answersPerSecond'),
        ),
        shown('that proxy by the bare one', ratioOf(results.reading, results.floor, 'answersPerSecond')),
      ],
      measured,
      notes: ['The upstream writes each event by itself, as fast as its connection takes them.'],
    };
  },
};
