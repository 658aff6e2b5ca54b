/** The edge's light model on any OpenAI-compatible address, by plain `fetch`: the official client would double the Worker. */
import type { ChatEvent, ChatModel, ChatRequest, ChatStream } from '../../shared/chat-model.ts';
import { toUpstreamBody } from '../../shared/chat-schema.ts';
import { CompletionChunkReader } from '../../shared/completion-chunks.ts';
import { AppError } from '../../shared/errors.ts';
import { eventStream } from '../../shared/event-stream.ts';
import { decodeSseChunks } from '../../shared/sse.ts';
import { readBytes } from './byte-reader.ts';

export interface LightModelOptions {
  /** With its version path: `https://api.example.com/v1`. */
  baseUrl: string;
  apiKey: string | undefined;
  model: string;
  fetch: typeof fetch;
}

export function createLightModel(options: LightModelOptions): ChatModel {
  return {
    name: options.model,
    stream: (request, signal) =>
      completionStream({
        model: options.model,
        chunks: new CompletionChunkReader(),
        isWhole: request.isWhole === true,
        open: (inner) => callUpstream(options, request, inner),
        signal,
      }),
  };
}

async function callUpstream(
  options: LightModelOptions,
  request: ChatRequest,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const headers: Record<string, string> = { 'content-type': 'application/json', accept: 'text/event-stream' };
  if (options.apiKey) headers.authorization = `Bearer ${options.apiKey}`;
  const response = await options.fetch(`${options.baseUrl}/chat/completions`, {
    method: 'POST',
    // A prompt goes where the configuration says, and no further.
    redirect: 'manual',
    headers,
    body: JSON.stringify(toUpstreamBody(request, options.model)),
    signal,
  });
  if (!response.ok || !response.body) throw await toUpstreamError(response);
  return response.body;
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
  isWhole?: boolean;
  /** Starts the call and answers with its event-stream bytes. */
  open: (signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>;
  signal: AbortSignal;
}

/** An upstream's event stream as a model's. */
export function completionStream({
  model,
  chunks,
  isWhole = false,
  open,
  signal,
}: CompletionStreamOptions): ChatStream {
  return eventStream(signal, async function* (inner) {
    try {
      inner.throwIfAborted();
      const bytes = await open(inner);
      yield { type: 'model-start', model, provider: 'edge' };
      for await (const messages of decodeSseChunks(readBytes(bytes, isWhole))) {
        inner.throwIfAborted();
        const events: ChatEvent[] = [];
        for (const { data } of messages) {
          if (data === '[DONE]') return yield [...events, ...chunks.end(true)];
          for (const event of chunks.push(JSON.parse(data))) {
            if (!isWhole || !joinText(events.at(-1), event)) events.push(event);
          }
        }
        if (events.length > 0) yield events;
      }
      yield* chunks.end(false);
    } catch (error) {
      yield toErrorEvent(error, inner);
    }
  });
}

/** Adds the words of an event to those of the one before it. @returns false where they are not of one kind */
function joinText(before: ChatEvent | undefined, event: ChatEvent): boolean {
  if (before?.type !== 'text-delta' || event.type !== 'text-delta') return false;
  if (before.logprobs !== undefined || event.logprobs !== undefined) return false;
  before.text += event.text;
  return true;
}

function toErrorEvent(error: unknown, signal: AbortSignal): ChatEvent {
  const known = signal.aborted
    ? new AppError('cancelled')
    : error instanceof AppError
      ? error
      : new AppError(error instanceof SyntaxError ? 'upstream_invalid' : 'upstream_unavailable', {
          cause: error,
        });
  return { type: 'error', error: known.toInfo() };
}

async function toUpstreamError(response: Response): Promise<AppError> {
  await response.body?.cancel();
  const { status } = response;
  if (status === 401 || status === 403) return new AppError('upstream_auth_failed');
  if (status === 429) return new AppError('upstream_rate_limited');
  if (status === 503) return new AppError('upstream_overloaded');
  if (status >= 400 && status < 500) return new AppError('upstream_rejected');
  return new AppError('upstream_error');
}
