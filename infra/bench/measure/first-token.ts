/** One streamed answer, timed from its request to its first word, over a connection that is kept. */
import { Agent, request as ask } from 'node:http';
import { type Asked, type BenchTarget, toBody } from '../systems/target.ts';
import { preciseNowMs } from '../systems/upstream-script.ts';

export interface StreamTiming {
  /** From sending to the first word. */
  firstTokenMs: number;
  /** From sending to the end; where it was left, to that. */
  totalMs: number;
  bytes: number;
  /** Events with data. */
  events: number;
  /** What the edge says of its cache; nobody else says that. */
  cache: string | undefined;
  /** Unix time in milliseconds, with fractions: when the reader left. */
  leftAtMs?: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

/**
 * @param leaveAfterFirst Whether the reader leaves at the first word
 * @throws Error when the answer is no 200 or says nothing
 */
export function timeStream(
  target: Pick<BenchTarget, 'name' | 'url' | 'headers'>,
  asked: Asked,
  leaveAfterFirst = false,
): Promise<StreamTiming> {
  const body = toBody(asked);
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...target.headers,
    ...asked.headers,
  };
  return new Promise((resolve, reject) => {
    const startMs = preciseNowMs();
    let firstTokenMs = 0;
    let bytes = 0;
    let events = 0;
    const call = ask(target.url, { method: 'POST', agent, headers }, (answer) => {
      const cache = answer.headers['x-edgewise-cache']?.toString();
      if (answer.statusCode !== 200) return reject(new Error(`${target.name} answered ${answer.statusCode}`));
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        const text = chunk.toString('latin1');
        events += text.split('data: ').length - 1;
        if (firstTokenMs > 0 || !text.includes('word')) return;
        firstTokenMs = preciseNowMs() - startMs;
        if (!leaveAfterFirst) return;
        const leftAtMs = preciseNowMs();
        call.destroy();
        resolve({ firstTokenMs, totalMs: leftAtMs - startMs, bytes, events, cache, leftAtMs });
      });
      answer.on('end', () => {
        if (firstTokenMs === 0) reject(new Error(`${target.name} said nothing`));
        else resolve({ firstTokenMs, totalMs: preciseNowMs() - startMs, bytes, events, cache });
      });
      answer.on('error', reject);
    });
    call.on('error', reject);
    call.end(body);
  });
}
