/** What a hit costs while one tenant has more and more answers. Each is found in an object, none in the isolate's memory. */
import { timeStream } from '../../measure/first-token.ts';
import { threadsUs } from '../../measure/process-usage.ts';
import { median } from '../../measure/statistics.ts';
import type { BenchEdge } from '../../systems/edge.ts';
import type { BenchUpstream } from '../../systems/upstream.ts';
import type { UpstreamScript } from '../../systems/upstream-script.ts';
import { type Cost, HANDLER_PACE, type HandlerPace, paceAround } from './cost.ts';
import { createAnswerFill, questionOf } from './fill-answers.ts';

/** Hits that are looked at, after those that warm isolate and objects up. Together they are fewer than it remembers. */
const HITS = 800;
const WARM = 200;
const script: UpstreamScript = { events: 3, firstMs: 0, paceMs: 0 };

export async function answerCosts(
  edge: BenchEdge,
  upstream: BenchUpstream,
  handlerPace: HandlerPace,
  most: number,
): Promise<Cost[]> {
  const costs: Cost[] = [];
  const fill = await createAnswerFill(edge);
  for (const size of [10, 1000, 100_000, 1_000_000].filter((mark) => mark <= most)) {
    await edge.restart(() => fill.growTo(size));
    await upstream.behave(script);
    await timeHits(edge, size, WARM, 0);
    const paceMeanwhile = await paceAround(handlerPace);
    const { times, processorUs } = await timeHits(edge, size, HITS, WARM);
    const pace = await paceMeanwhile();
    const { calls } = await upstream.counts();
    if (calls > 0) throw new Error(`${calls} of the hits among ${size} answers went to the upstream`);
    costs.push({
      size,
      values: {
        'median ms': median(times),
        'processor µs': processorUs / HITS,
        [HANDLER_PACE]: pace,
      },
    });
  }
  return costs;
}

/**
 * Asks questions from everywhere among the answers, one after the other. Where they come again, since there are few,
 * the isolate is told to forget its copies first.
 */
async function timeHits(edge: BenchEdge, size: number, hits: number, from: number) {
  const times: number[] = [];
  let processorUs = 0;
  const together = Math.min(size, WARM + HITS);
  for (let at = from; at < from + hits; ) {
    if (at >= size) await forgetCopies(edge);
    const endAt = Math.min(from + hits, at + together);
    const beforeUs = threadsUs(edge.pid);
    for (; at < endAt; at++) {
      const number = Math.floor((at % together) * (size / together));
      const { totalMs, cache } = await timeStream(edge, { stream: true, content: questionOf(number) });
      if (cache !== 'hit') throw new Error(`Question ${number} of ${size} was no hit but ${cache}`);
      times.push(totalMs);
    }
    processorUs += threadsUs(edge.pid) - beforeUs;
  }
  return { times, processorUs };
}

/** To remove what is not there removes nothing, but the isolate lets the tenant's copies go. */
async function forgetCopies(edge: BenchEdge): Promise<void> {
  const headers = { authorization: await edge.authorization('operator', 'bench', 'admin') };
  const address = `${edge.address}/v1/cache?key=${'0'.repeat(64)}`;
  const answer = await fetch(address, { method: 'DELETE', headers });
  const { removed } = (await answer.json()) as { removed?: number };
  if (removed !== 0) throw new Error(`Forgetting copies was answered ${answer.status}`);
}
