/** One tenant asks while more and more tenants have asked. */
import { timeStream } from '../../measure/first-token.ts';
import { type Load, loadTarget } from '../../measure/load.ts';
import type { BenchEdge } from '../../systems/edge.ts';
import type { Asked } from '../../systems/target.ts';
import type { Cost } from './cost.ts';

export async function tenantCosts(edge: BenchEdge, asked: Asked, most: number): Promise<Cost[]> {
  const load: Load = { ...asked, stream: false, clients: 16, seconds: 2 };
  const costs: Cost[] = [];
  let known = 0;
  for (const size of [10, 100, 1000, 10_000].filter((mark) => mark <= most)) {
    for (; known < size; known++) {
      const headers = { authorization: await edge.authorization(`user${known}`, `tenant${known}`) };
      await timeStream({ ...edge, headers }, asked);
    }
    const { processorUs } = await loadTarget(edge, load);
    costs.push({ size, values: { 'processor µs': processorUs } });
  }
  return costs;
}
