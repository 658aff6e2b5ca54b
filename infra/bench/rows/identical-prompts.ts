/** Fifty clients ask the same at the same time. */
import { timeStream } from '../measure/first-token.ts';
import { atMost, type BenchRow, shown } from '../row.ts';
import type { BenchTarget } from '../systems/target.ts';
import type { BenchUpstream } from '../systems/upstream.ts';

export const CLIENTS = 50;

export const identicalPrompts: BenchRow = {
  name: 'identical',
  title: '50 identical concurrent prompts',
  async run({ systems }) {
    const { upstream } = systems;
    const ours = await upstreamCalls(await systems.edge(), upstream, 'Which colours does the chair come in?');
    const peer = await upstreamCalls(await systems.peer(), upstream, 'Which colours does the chair come in?');
    return {
      figures: [atMost('upstream calls', ours, 1), shown("the peer's upstream calls", peer)],
      measured: [
        { target: 'ours', values: { 'upstream calls': ours } },
        { target: 'peer', values: { 'upstream calls': peer } },
      ],
      notes: ['Streamed, by one user; every client got the whole answer.'],
    };
  },
};

/** @throws Error when a client did not get the whole answer */
export async function upstreamCalls(
  target: BenchTarget,
  upstream: BenchUpstream,
  content: string,
): Promise<number> {
  const events = 20;
  await upstream.behave({ events, firstMs: 100, paceMs: 2 });
  const answers = await Promise.all(
    Array.from({ length: CLIENTS }, () => timeStream(target, { stream: true, content })),
  );
  const short = answers.filter((answer) => answer.events < events);
  if (short.length > 0)
    throw new Error(`${target.name}: ${short.length} of ${CLIENTS} answers are not whole`);
  return (await upstream.counts()).calls;
}
