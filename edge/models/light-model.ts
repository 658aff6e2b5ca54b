/** The edge's light model on any OpenAI-compatible address, by plain `fetch`: the official client would double the Worker. */

import { AppError } from '../../shared/errors.ts';
import type { ChatEvent, ChatModel, ChatRequest, ChatStream } from '../../shared/model/chat-model.ts';
import { type EventGenerator, eventStream } from '../../shared/model/event-stream.ts';
import { readUpstreamError, toConnectionError } from '../../shared/model/upstream-errors.ts';
import { readBoundedJson } from '../../shared/stream/bounded-bytes.ts';
import { decodeSseChunks } from '../../shared/stream/sse.ts';
import { toUpstreamBody, toWholeUpstreamBody } from '../../shared/wire/chat-schema.ts';
import { CompletionChunkReader } from '../../shared/wire/completion-chunks.ts';
import { readBytes } from './byte-reader.ts';
import { readToEnd } from './read-to-end.ts';

/** Most bytes of a light model's answer, as they come from their compression: an isolate has 128 MB for all of its requests. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

export interface LightModelOptions {
  /** With its version path: `https://api.example.com/v1`. */
  baseUrl: string;
  apiKey: string | undefined;
  model: string;
  fetch: typeof fetch;
  /** Work that goes on after the answer. */
  defer: (work: Promise<void>) => void;
}

export function createLightModel(options: LightModelOptions): ChatModel {
  return {
    name: options.model,
    stream: (request, signal) =>
      request.isWhole
        ? wholeAnswer(options, request, signal)
        : completionStream({
            model: options.model,
            chunks: new CompletionChunkReader(),
            open: async (inner) => bodyOf(await callUpstream(options, request, inner)),
            signal,
            defer: options.defer,
          }),
  };
}

/**
 * An answer that nobody reads word by word is asked for in one piece, and its events come together: it costs a tenth of the
 * work that its words do.
 */
function wholeAnswer(options: LightModelOptions, request: ChatRequest, signal: AbortSignal): ChatStream {
  return eventStream(signal, async function* (inner) {
    const start: ChatEvent = { type: 'model-start', model: options.model, provider: 'edge' };
    let isOpen = false;
    try {
      inner.throwIfAborted();
      const response = await callUpstream(options, request, inner);
      isOpen = true;
      const chunks = new CompletionChunkReader();
      if (response.headers.get('content-type')?.includes('text/event-stream')) {
        yield start;
        return yield* readStream(bodyOf(response), { chunks, isWhole: true, signal: inner, ...options });
      }
      const events = chunks.pushWhole(await readBoundedJson(response, MAX_ANSWER_BYTES));
      const ended = chunks.end();
      // Of an answer that is not whole nothing was said: another model can answer, unseen.
      yield ended.some(({ type }) => type === 'error') ? ended : [start, ...events, ...ended];
    } catch (error) {
      yield toErrorEvent(error, inner, isOpen);
    }
  });
}

async function callUpstream(
  options: LightModelOptions,
  request: ChatRequest,
  signal: AbortSignal,
): Promise<Response> {
  const accept = request.isWhole ? 'application/json' : 'text/event-stream';
  const headers: Record<string, string> = { 'content-type': 'application/json', accept };
  if (options.apiKey) headers.authorization = `Bearer ${options.apiKey}`;
  if (request.traceparent !== undefined) headers.traceparent = request.traceparent;
  const response = await options.fetch(`${options.baseUrl}/chat/completions`, {
    method: 'POST',
    // A prompt goes where the configuration says, and no further.
    redirect: 'manual',
    headers,
    body: JSON.stringify((request.isWhole ? toWholeUpstreamBody : toUpstreamBody)(request, options.model)),
    signal,
  });
  if (!response.ok) throw await readUpstreamError(response);
  return response;
}

function bodyOf({ body }: Response): ReadableStream<Uint8Array> {
  if (!body) throw new AppError('upstream_invalid');
  return body;
}

/** Reads chunks as events; see `CompletionChunkReader`. */
export interface ChunkReader {
  push(chunk: unknown): ChatEvent[];
  /** @param complete Whether the upstream said `[DONE]`. */
  end(complete: boolean): ChatEvent[];
}

interface CompletionStreamOptions {
  model: string;
  chunks: ChunkReader;
  /** Starts the call and answers with its event-stream bytes. */
  open: (signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>;
  signal: AbortSignal;
  /** Work that goes on after the answer, where its connection can serve another one. */
  defer?: LightModelOptions['defer'] | undefined;
}

/** An upstream's event stream as a model's. */
export function completionStream({
  model,
  chunks,
  open,
  signal,
  defer,
}: CompletionStreamOptions): ChatStream {
  return eventStream(signal, async function* (inner) {
    let isOpen = false;
    try {
      inner.throwIfAborted();
      const bytes = await open(inner);
      isOpen = true;
      yield { type: 'model-start', model, provider: 'edge' };
      yield* readStream(bytes, { chunks, isWhole: false, signal: inner, defer });
    } catch (error) {
      yield toErrorEvent(error, inner, isOpen);
    }
  });
}

interface StreamReading extends Pick<CompletionStreamOptions, 'chunks' | 'signal' | 'defer'> {
  /** Nobody reads it word by word. */
  isWhole: boolean;
}

async function* readStream(
  bytes: ReadableStream<Uint8Array>,
  { chunks, isWhole, signal, defer }: StreamReading,
): EventGenerator {
  const reader = readBytes(bytes, isWhole);
  let hasSaidAll = false;
  const leave = async () => {
    if (hasSaidAll && defer) defer(readToEnd(reader));
    else await reader.cancel();
  };
  for await (const messages of decodeSseChunks(
    { read: () => reader.read(), cancel: leave },
    MAX_ANSWER_BYTES,
  )) {
    signal.throwIfAborted();
    const events: ChatEvent[] = [];
    for (const { data } of messages) {
      if (data === '[DONE]') {
        hasSaidAll = true;
        return yield [...events, ...chunks.end(true)];
      }
      for (const event of chunks.push(JSON.parse(data))) {
        if (!isWhole || !joinText(events.at(-1), event)) events.push(event);
      }
    }
    if (events.length > 0) yield events;
  }
  yield* chunks.end(false);
}

/** Adds the words of an event to those of the one before it. @returns false where they are not of one kind */
function joinText(before: ChatEvent | undefined, event: ChatEvent): boolean {
  if (before?.type !== 'text-delta' || event.type !== 'text-delta') return false;
  if (before.logprobs !== undefined || event.logprobs !== undefined) return false;
  before.text += event.text;
  return true;
}

function toErrorEvent(error: unknown, signal: AbortSignal, isOpen: boolean): ChatEvent {
  return { type: 'error', error: toConnectionError(error, { signal, isOpen }).toInfo() };
}
