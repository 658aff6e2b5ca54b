import type { Measured } from '../row.ts';
import type { RoundsResult } from './load.ts';

/** The results of a load as lines of the details. */
export function toMeasured(results: Record<string, RoundsResult>): Measured[] {
  return Object.entries(results).map(([target, result]) => ({
    target,
    values: {
      'answers a second': result.answersPerSecond,
      'median ms': result.medianMs,
      'p99 ms': result.p99Ms,
      'processor µs an answer': result.processorUs,
    },
  }));
}
