/** What a request costs among more and more tenants: one of a tenant that asks all the time, and a tenant's first one. */
import { timeStream } from '../../measure/first-token.ts';
import { type Load, loadTarget } from '../../measure/load.ts';
import { threadsUs } from '../../measure/process-usage.ts';
import { median } from '../../measure/statistics.ts';
import type { BenchEdge } from '../../systems/edge.ts';
import type { Asked } from '../../systems/target.ts';
import { type Cost, HANDLER_PACE, type HandlerPace, paceAround } from './cost.ts';
import { layTenants } from './fill-tenants.ts';

/** Tenants that ask for the first time, at each size, after some that warm up. */
const NEW = 60;
const WARM = 20;
const ROUNDS = 5;

/** @param asking So many tenants ask themselves; those beyond are laid beneath the edge. */
export async function tenantCosts(
  edge: BenchEdge,
  asked: Asked,
  handlerPace: HandlerPace,
  { asking, most }: { asking: number; most: number },
): Promise<Cost[]> {
  const load: Load = { ...asked, stream: false, clients: 16, seconds: 1 };
  let known = 0;
  const askAs = async (tenant: string) => {
    const headers = { authorization: await edge.authorization('user', tenant) };
    return (await timeStream({ ...edge, headers }, asked)).totalMs;
  };
  const costs: Cost[] = [];
  for (const size of [10, asking, most]) {
    for (; known < Math.min(size, asking); known++) await askAs(`tenant${known}`);
    await edge.restart(async () => {
      if (size > known) layTenants(edge.dataDir, size);
    });
    await loadTarget(edge, { ...load, seconds: 2 });
    for (let fresh = 0; fresh < WARM; fresh++) await askAs(`warm ${size} ${fresh}`);
    const paceMeanwhile = await paceAround(handlerPace);
    const firstMs: number[] = [];
    const firstUs: number[] = [];
    let usedUs = threadsUs(edge.pid);
    for (let fresh = 0; fresh < NEW; fresh++) {
      firstMs.push(await askAs(`new ${size} ${fresh}`));
      const beforeUs = usedUs;
      usedUs = threadsUs(edge.pid);
      // Its median, since one that meets a collection or the disk's journal takes twenty times as long.
      firstUs.push(usedUs - beforeUs);
    }
    const busyUs: number[] = [];
    for (let round = 0; round < ROUNDS; round++) busyUs.push((await loadTarget(edge, load)).processorUs);
    const pace = await paceMeanwhile();
    costs.push({
      size,
      values: {
        'processor µs': median(busyUs),
        'first, processor µs': median(firstUs),
        'first, median ms': median(firstMs),
        [HANDLER_PACE]: pace,
      },
    });
  }
  return costs;
}
