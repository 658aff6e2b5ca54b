/** What can go wrong with a model's service, as behaviours of the scripted upstream. */
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { type Behaviour, chunk, openStream, refuse, say } from './scripted-upstream.ts';

/** How a fault shows: before the first word, or after these. */
type Said = string;

function begin(answer: ServerResponse, said: Said): void {
  openStream(answer);
  answer.write(chunk({ role: 'assistant', content: '' }));
  for (const piece of said.match(/\s*\S+/g) ?? []) answer.write(chunk({ content: piece }));
}

/** Takes the request and says nothing, not even that it has it. */
export const neverAccept: Behaviour = () => undefined;

/** Says so much and then nothing, with the connection open. */
export function hang(said: Said): Behaviour {
  return (_call, answer) => begin(answer, said);
}

/** Says so much, and the connection breaks. */
export function cut(said: Said): Behaviour {
  return (_call, answer) => {
    begin(answer, said);
    // What was written is on its way first.
    setTimeout(() => answer.socket?.resetAndDestroy(), 30);
  };
}

/** Says so much and ends, without an end of the answer. */
export function stopShort(said: Said): Behaviour {
  return (_call, answer) => {
    begin(answer, said);
    answer.end();
  };
}

/** Says so much and then what nobody can read. */
export function garble(said: Said): Behaviour {
  return (_call, answer) => {
    begin(answer, said);
    answer.end('data: {"choices": [{"delta": \u0000 not json\n\n');
  };
}

/** Says so much, and then that it failed. */
export function failWithin(said: Said): Behaviour {
  return (_call, answer) => {
    begin(answer, said);
    answer.end(`data: ${JSON.stringify({ error: { message: 'overheated', type: 'server_error' } })}\n\n`);
  };
}

/** The whole answer, a byte at a time. */
export function drip(text: string): Behaviour {
  return async (call, answer) => {
    const whole: Buffer[] = [];
    const sink = {
      writeHead: () => sink,
      flushHeaders: () => undefined,
      write: (data: string) => whole.push(Buffer.from(data)),
      end: (data: string) => whole.push(Buffer.from(data)),
    };
    await say(text)(call, sink as unknown as ServerResponse);
    openStream(answer);
    for (const [index, byte] of Buffer.concat(whole).entries()) {
      answer.write(Buffer.of(byte));
      if (index % 40 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    answer.end();
  };
}

/** Says so much, and then one event of so many characters. */
export function hugeEvent(said: Said, chars: number): Behaviour {
  return (_call, answer) => {
    begin(answer, said);
    answer.end(chunk({ content: 'x'.repeat(chars) }));
  };
}

/** An answer of small events that is short on the way and long once it is unpacked. */
export function packedAnswer(bytes: number): Behaviour {
  const event = chunk({ content: '' });
  const packed = gzipSync(event.repeat(Math.ceil(bytes / event.length)));
  return (_call, answer) => {
    answer.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
    answer.end(packed);
  };
}

/** A refusal that is short on the way and long once it is unpacked. */
export function packedRefusal(status: number, bytes: number): Behaviour {
  const packed = gzipSync(JSON.stringify({ error: { message: 'x'.repeat(bytes) } }));
  return (_call, answer) => {
    answer.writeHead(status, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    answer.end(packed);
  };
}

export const refusals = {
  error: refuse(500, { message: 'down' }),
  overloaded: refuse(503, { message: 'full', code: 'server_is_overloaded' }, { 'retry-after-ms': '10' }),
  throttled: refuse(429, { message: 'slow down', code: 'rate_limit_exceeded' }, { 'retry-after-ms': '10' }),
  throttledForLong: refuse(429, { message: 'slow', code: 'rate_limit_exceeded' }, { 'retry-after': '60' }),
  quotaUsedUp: refuse(429, { message: 'broke', code: 'insufficient_quota' }),
  wrongKey: refuse(401, { message: 'bad key' }),
  missing: refuse(404, { message: 'no such model' }),
  badRequest: refuse(400, { message: 'bad tools', param: 'tools' }),
};
