/** One reader of the soak: it asks, and reads to the end, leaves for good, or leaves and comes back for the rest. */
import { decodeSse } from '../../../shared/stream/sse.ts';
import type { BenchEdge } from '../systems/edge.ts';
import { toBody } from '../systems/target.ts';

export interface SoakCounts {
  asked: number;
  /** Read to the end at once. */
  whole: number;
  left: number;
  /** Of those that left: read to the end after all. */
  resumed: number;
  /** Prompts that stand alone and whose reader left. */
  aborted: number;
  faults: string[];
}

export interface SoakReaderOptions {
  edge: BenchEdge;
  /** Words of an answer. */
  events: number;
  random: (bound: number) => number;
  counts: SoakCounts;
}

interface ReadSoFar {
  words: number;
  /** The number of the last event that was read. */
  lastId: string | undefined;
  isOver: boolean;
}

export function createSoakReader({ edge, events, random, counts }: SoakReaderOptions): () => Promise<void> {
  const run = random(1_000_000);
  let asked = 0;

  /** @param leaveAfter Words after which the reader leaves; all of them when it does not */
  async function read(response: Response, far: ReadSoFar, leaveAfter: number): Promise<void> {
    if (!response.ok || !response.body) throw new Error(`answered ${response.status}`);
    for await (const { id, data } of decodeSse(response.body as ReadableStream<Uint8Array>)) {
      if (data === '[DONE]') {
        far.isOver = true;
        return;
      }
      if (id) far.lastId = id;
      if (data.includes('"content":"') && data.includes('word')) far.words++;
      if (far.words >= leaveAfter) return;
    }
  }

  function ask(session: string | undefined, name: string): Promise<Response> {
    const headers: Record<string, string> = {
      ...edge.headers,
      'content-type': 'application/json',
      'cache-control': 'no-store',
      ...(session && { 'x-session-id': session }),
    };
    return fetch(edge.url, { method: 'POST', headers, body: toBody({ stream: true, content: name }) });
  }

  function resume(session: string, lastId: string | undefined): Promise<Response> {
    const headers = { ...edge.headers, ...(lastId && { 'last-event-id': lastId }) };
    return fetch(`${edge.address}/v1/sessions/${session}/stream`, { headers });
  }

  return async function readOne() {
    const number = asked++;
    counts.asked++;
    const far: ReadSoFar = { words: 0, lastId: undefined, isOver: false };
    const fate = random(10);
    const leaveAfter = fate < 5 ? Number.POSITIVE_INFINITY : 1 + random(events - 2);
    // Half of those that leave come back: those in a session.
    const session = fate % 2 === 0 ? `soak-${run}-${number}` : undefined;
    try {
      await read(await ask(session, `Tell me number ${number}.`), far, leaveAfter);
      if (far.isOver) counts.whole++;
      else if (session === undefined) counts.aborted++;
      else {
        counts.left++;
        await new Promise((resolve) => setTimeout(resolve, random(500)));
        await read(await resume(session, far.lastId), far, Number.POSITIVE_INFINITY);
        if (far.isOver) counts.resumed++;
      }
      const isWhole = session !== undefined || leaveAfter === Number.POSITIVE_INFINITY;
      if (isWhole && far.words !== events)
        counts.faults.push(`turn ${number}: ${far.words} words of ${events}`);
    } catch (error) {
      counts.faults.push(`turn ${number}: ${(error as Error).message}`);
    }
  };
}
