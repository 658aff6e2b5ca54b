/** What the first request with an API key costs, which the isolate must ask the core for, among more and more keys. */
import { timeStream } from '../../measure/first-token.ts';
import { median } from '../../measure/statistics.ts';
import type { BenchEdge } from '../../systems/edge.ts';
import type { Asked } from '../../systems/target.ts';
import type { Cost } from './cost.ts';
import { fillKeys } from './fill-keys.ts';

/** Keys that are looked at, after those that warm edge and core up. */
const KEYS = 100;
const WARM = 50;

export async function keyCosts(edge: BenchEdge, asked: Asked, most: number): Promise<Cost[]> {
  const costs: Cost[] = [];
  let known = 0;
  for (const size of [10, 1000, 1_000_000].filter((mark) => mark <= most)) {
    await edge.restart(() => fillKeys(edge.dataDir, known, size));
    known = size;
    const first: number[] = [];
    const again: number[] = [];
    for (let at = 0; at < WARM + KEYS; at++) {
      const target = { ...edge, headers: { authorization: `Bearer ${await makeKey(edge)}` } };
      const { totalMs: firstMs } = await timeStream(target, asked);
      const { totalMs: againMs } = await timeStream(target, asked);
      if (at < WARM) continue;
      first.push(firstMs);
      again.push(againMs);
    }
    costs.push({ size, values: { 'median ms': median(first), 'again, median ms': median(again) } });
  }
  return costs;
}

async function makeKey(edge: BenchEdge): Promise<string> {
  const authorization = await edge.authorization('operator', 'bench', 'admin');
  const answer = await fetch(`${edge.address}/v1/keys`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'bench', plan: 'bench', scopes: [] }),
  });
  const { key } = (await answer.json()) as { key?: string };
  if (key === undefined) throw new Error(`No key was made: ${answer.status}`);
  return key;
}
