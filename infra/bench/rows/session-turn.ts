/** What a conversation costs: the same prompt alone and as a turn of a session, to the first word. */
import { timeStream } from '../measure/first-token.ts';
import { median, percentile } from '../measure/statistics.ts';
import { atMost, type BenchRow } from '../row.ts';
import { type Asked, askedAnew, type BenchTarget } from '../systems/target.ts';

const SAMPLES_PER_ROUND = 50;
/** A session begins anew after so many turns: the window is full then. */
const TURNS = 10;

export const sessionTurn: BenchRow = {
  name: 'session',
  title: 'session turn: load, window, append, log',
  async run({ systems, rounds }) {
    await systems.upstream.behave({ events: 5, firstMs: 5, paceMs: 0 });
    const edge = await systems.edge();
    const alone: number[] = [];
    const inSession: number[] = [];
    for (let round = -1; round < rounds; round++) {
      for (let sample = 0; sample < SAMPLES_PER_ROUND; sample++) {
        const session = `bench-${round + 1}-${Math.floor(sample / TURNS)}`;
        const aloneMs = (await timeStream(edge, askedAnew)).firstTokenMs;
        const sessionMs = (await timeTurn(edge, askedAnew, session)).firstTokenMs;
        if (round < 0) continue;
        alone.push(aloneMs);
        inSession.push(sessionMs);
      }
    }
    const values = (samples: number[]) => ({
      'median ms': median(samples),
      'p99 ms': percentile(samples, 0.99),
    });
    return {
      figures: [atMost('added at the median', median(inSession) - median(alone), 3, 'ms')],
      measured: [
        { target: 'alone', values: values(alone) },
        { target: 'session', values: values(inSession) },
      ],
      notes: [`${rounds * SAMPLES_PER_ROUND} pairs, in sessions of ${TURNS} turns, on local disk.`],
    };
  },
};

export function timeTurn(edge: BenchTarget, asked: Asked, session: string) {
  return timeStream(edge, { ...asked, headers: { ...asked.headers, 'x-session-id': session } });
}
