/** Stands for a paid model: a real HTTP server that speaks OpenAI's Chat Completions and does what a test says. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ChatMessage, JsonObject } from '../../shared/model/chat-model.ts';

export interface UpstreamCall {
  body: JsonObject & { messages: ChatMessage[]; model: string };
  headers: IncomingMessage['headers'];
  /** Resolves with the time (Unix, milliseconds) at which the caller closed the connection before the end. */
  aborted: Promise<number>;
  isAborted: boolean;
}

export type Behaviour = (call: UpstreamCall, answer: ServerResponse) => Promise<void> | void;

export interface ScriptedUpstream {
  readonly baseUrl: string;
  /** Every call so far, oldest first. */
  readonly calls: UpstreamCall[];
  /** What the next calls get; {@link say} by default. */
  behave(behaviour: Behaviour): void;
  close(): Promise<void>;
}

export async function startScriptedUpstream(): Promise<ScriptedUpstream> {
  const calls: UpstreamCall[] = [];
  let behaviour: Behaviour = say('Hello from the model.');
  const server = createServer(async (request, answer) => {
    if (request.method !== 'POST' || !request.url?.endsWith('/chat/completions')) {
      answer.writeHead(404).end();
      return;
    }
    let text = '';
    for await (const chunk of request) text += chunk;
    const gone = Promise.withResolvers<number>();
    const call: UpstreamCall = {
      body: JSON.parse(text),
      headers: request.headers,
      aborted: gone.promise,
      isAborted: false,
    };
    answer.on('close', () => {
      if (answer.writableFinished) return;
      call.isAborted = true;
      gone.resolve(Date.now());
    });
    calls.push(call);
    await behaviour(call, answer);
  });
  // A core that is busy for seconds would reuse a connection that is closed meanwhile, and these tests try nothing again.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    calls,
    behave(next) {
      behaviour = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface SayOptions {
  /** Pause before each piece, in milliseconds. */
  paceMs?: number;
  usage?: { prompt_tokens: number; completion_tokens: number };
  finishReason?: string;
}

/** Answers with a text, one word a chunk. */
export function say(text: string, options: SayOptions = {}): Behaviour {
  const { paceMs = 0, usage = { prompt_tokens: 11, completion_tokens: 7 }, finishReason = 'stop' } = options;
  return async (call, answer) => {
    openStream(answer);
    answer.write(chunk({ role: 'assistant', content: '' }));
    for (const piece of text.match(/\s*\S+/g) ?? []) {
      if (paceMs > 0) await new Promise((resolve) => setTimeout(resolve, paceMs));
      if (call.isAborted) return;
      answer.write(chunk({ content: piece }));
    }
    answer.write(chunk({}, finishReason));
    const total = usage.prompt_tokens + usage.completion_tokens;
    answer.write(sse({ ...head, choices: [], usage: { ...usage, total_tokens: total } }));
    answer.end('data: [DONE]\n\n');
  };
}

/** Answers with a status and OpenAI's error object. */
export function refuse(status: number, error: JsonObject, headers: Record<string, string> = {}): Behaviour {
  return (_call, answer) => {
    answer.writeHead(status, { 'content-type': 'application/json', ...headers });
    answer.end(JSON.stringify({ error }));
  };
}

export function openStream(answer: ServerResponse): void {
  answer.writeHead(200, { 'content-type': 'text/event-stream' });
  answer.flushHeaders();
}

const head = {
  id: 'chatcmpl-upstream',
  object: 'chat.completion.chunk',
  created: 1_700_000_000,
  model: 'scripted-1',
};

export function chunk(delta: JsonObject, finishReason: string | null = null): string {
  return sse({ ...head, choices: [{ index: 0, delta, finish_reason: finishReason }] });
}

export function sse(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}
