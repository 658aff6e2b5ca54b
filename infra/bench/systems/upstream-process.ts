/**
 * The scripted upstream as a process of its own, so that it takes no time from who measures: OpenAI's Chat
 * Completions over `node:http`, streamed or whole, at a fixed pace. Owns the counts of its calls.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  preciseNowMs,
  type UpstreamCounts,
  type UpstreamQuestion,
  type UpstreamReply,
  type UpstreamScript,
} from './upstream-script.ts';

const USAGE = { prompt_tokens: 12, completion_tokens: 100, total_tokens: 112 };
const head = {
  id: 'chatcmpl-bench',
  object: 'chat.completion.chunk',
  created: 1_700_000_000,
  model: 'bench-1',
};

let script: UpstreamScript = { events: 20, firstMs: 0, paceMs: 0 };
let pieces = toPieces(script);
let counts: UpstreamCounts = { calls: 0, open: 0, aborts: {} };

function sse(data: object): Buffer {
  return Buffer.from(`data: ${JSON.stringify(data)}\n\n`);
}

function chunk(delta: object, finishReason: string | null = null): Buffer {
  return sse({ ...head, choices: [{ index: 0, delta, finish_reason: finishReason }] });
}

function words({ events }: UpstreamScript): string[] {
  return Array.from({ length: events }, (_, at) => `${at === 0 ? '' : ' '}word${at % 10}`);
}

function toPieces(from: UpstreamScript): { stream: Buffer[]; tail: Buffer; whole: Buffer } {
  const said = words(from);
  const message = { role: 'assistant', content: said.join(''), refusal: null };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' }];
  return {
    stream: said.map((content) => chunk({ content })),
    tail: Buffer.concat([
      chunk({}, 'stop'),
      sse({ ...head, choices: [], usage: USAGE }),
      Buffer.from('data: [DONE]\n\n'),
    ]),
    whole: Buffer.from(JSON.stringify({ ...head, object: 'chat.completion', choices, usage: USAGE })),
  };
}

const opening = chunk({ role: 'assistant', content: '' });
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function stream(answer: ServerResponse): Promise<void> {
  const { firstMs, paceMs } = script;
  const { stream: events, tail } = pieces;
  answer.writeHead(200, { 'content-type': 'text/event-stream' });
  answer.write(opening);
  for (const [at, event] of events.entries()) {
    const waitMs = at === 0 ? firstMs : paceMs;
    await (waitMs > 0 ? pause(waitMs) : turn());
    if (answer.destroyed) return;
    // A reader that is slow is waited for.
    if (!answer.write(event)) await Promise.race([drained(answer), gone(answer)]);
  }
  answer.end(tail);
}

const drained = (answer: ServerResponse) => new Promise<void>((resolve) => answer.once('drain', resolve));
const gone = (answer: ServerResponse) => new Promise<void>((resolve) => answer.once('close', resolve));

const server = createServer((request, answer) => {
  const body: Buffer[] = [];
  request.on('data', (part: Buffer) => body.push(part));
  request.on('end', async () => {
    const text = Buffer.concat(body).toString();
    counts.calls++;
    counts.open++;
    const own = counts;
    answer.on('close', () => {
      own.open--;
      if (answer.writableFinished) return;
      const mark = /mark-(\w+)/.exec(text)?.[1];
      if (mark) own.aborts[mark] = preciseNowMs();
    });
    if (/"stream":\s*true/.test(text)) return stream(answer);
    if (script.firstMs > 0) await pause(script.firstMs);
    answer.writeHead(200, { 'content-type': 'application/json', 'content-length': pieces.whole.length });
    answer.end(pieces.whole);
  });
});
server.keepAliveTimeout = 60_000;
server.listen({ port: 0, host: '127.0.0.1', backlog: 16_384 }, () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});

process.on('message', (question: UpstreamQuestion) => {
  if (question.ask === 'stop') process.exit(0);
  if (question.ask === 'behave') {
    script = question.script;
    pieces = toPieces(script);
    counts = { calls: 0, open: 0, aborts: {} };
  }
  const reply: UpstreamReply = { id: question.id, counts };
  process.send?.(reply);
});
process.on('disconnect', () => process.exit(0));
