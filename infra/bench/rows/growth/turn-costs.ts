/** A session grows; what a turn takes is looked at after 10, 100, 1,000, ... turns. */
import { median } from '../../measure/statistics.ts';
import type { BenchEdge } from '../../systems/edge.ts';
import type { Asked } from '../../systems/target.ts';
import { timeTurn } from '../session-turn.ts';
import type { Cost } from './cost.ts';

/** Turns that are looked at, so that a pause of the machine does not decide. */
const WINDOW = 40;
/** Turns of another session before, since the first turns of a new edge are slow whatever their session. */
const WARM = 400;
const SESSION = 'bench-growing';

export async function turnCosts(edge: BenchEdge, asked: Asked, most: number): Promise<Cost[]> {
  const costs: Cost[] = [];
  for (let turn = 0; turn < WARM; turn++) await timeTurn(edge, asked, 'bench-warming');
  let taken = 0;
  for (const size of [10, 100, 1000, 10_000].filter((mark) => mark <= most)) {
    for (; taken < size; taken++) await timeTurn(edge, asked, SESSION);
    const times: number[] = [];
    for (let turn = 0; turn < WINDOW; turn++, taken++)
      times.push((await timeTurn(edge, asked, SESSION)).totalMs);
    costs.push({ size, values: { 'median ms': median(times) } });
  }
  return costs;
}
