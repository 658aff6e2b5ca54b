/** Any service that speaks OpenAI's Chat Completions, through the official client: OpenAI, Azure OpenAI and their likes. */
import { APIConnectionError, APIError, APIUserAbortError, AzureOpenAI, OpenAI } from 'openai';
import { AppError } from '../../shared/errors.ts';
import type { ChatEvent, ChatModel, ChatRequest } from '../../shared/model/chat-model.ts';
import { type EventGenerator, eventStream } from '../../shared/model/event-stream.ts';
import {
  type DescribeRejection,
  readBodyStart,
  toConnectionError,
  toUpstreamError,
} from '../../shared/model/upstream-errors.ts';
import { decodeSseChunks, type SseMessage } from '../../shared/stream/sse.ts';
import { toUpstreamBody } from '../../shared/wire/chat-schema.ts';
import { CompletionChunkReader } from '../../shared/wire/completion-chunks.ts';
import { describeRejection } from './rejection-text.ts';

/**
 * Most bytes of a model's answer, as it comes from its compression. An answer of 32,768 tokens, each with the odds of the
 * twenty likeliest, has about as many.
 */
export const MAX_ANSWER_BYTES: number = 64 * 1024 * 1024;

/** Where a model is called, with the one key that belongs there. */
export type Upstream =
  | { kind: 'openai'; baseUrl: string; apiKey: string | undefined }
  | { kind: 'azure'; endpoint: string; apiKey: string; apiVersion: string };

export interface OpenAICompatibleOptions {
  /** The model's name in the registry. */
  name: string;
  /** In OpenTelemetry's `gen_ai.provider.name` values where one exists. */
  provider: string;
  upstream: Upstream;
  /** The upstream's own name for the model; on Azure, the deployment. */
  upstreamModel: string;
  /** Values that no error may show. */
  secrets: readonly string[];
  fetch?: typeof fetch;
  /** Most bytes of an answer; {@link MAX_ANSWER_BYTES} by default. */
  maxAnswerBytes?: number;
}

export function createOpenAICompatibleModel(options: OpenAICompatibleOptions): ChatModel {
  const { name, provider, upstreamModel } = options;
  const client = createClient(options);
  const describe = describeRejection(options.secrets);

  async function* answer(request: ChatRequest, signal: AbortSignal): EventGenerator {
    const reader = new CompletionChunkReader();
    const maxBytes = options.maxAnswerBytes ?? MAX_ANSWER_BYTES;
    try {
      const { traceparent } = request;
      const { body } = await client.chat.completions
        .create(toStreamingBody(request, upstreamModel), {
          signal,
          ...(traceparent !== undefined && { headers: { traceparent } }),
        })
        .asResponse();
      if (!body) throw new AppError('upstream_invalid');
      yield { type: 'model-start', model: name, provider };
      // The client's own reader holds an event of any size.
      for await (const messages of decodeSseChunks(body.getReader(), maxBytes)) {
        const { events, fault } = readMessages(messages, reader, describe);
        if (events.length > 0) yield events;
        if (fault !== undefined) throw fault;
      }
      signal.throwIfAborted();
      yield* reader.end();
    } catch (error) {
      yield { type: 'error', error: toModelError(error, signal, describe).toInfo() };
    }
  }

  return { name, stream: (request, signal) => eventStream(signal, (inner) => answer(request, inner)) };
}

interface Read {
  events: ChatEvent[];
  /** What ends the answer after them. */
  fault?: unknown;
}

/** The events of what came together, as far as it can be read. */
function readMessages(
  messages: SseMessage[],
  reader: CompletionChunkReader,
  describe: DescribeRejection,
): Read {
  const events: ChatEvent[] = [];
  try {
    for (const { data } of messages) {
      if (data.startsWith('[DONE]')) continue;
      const chunk: { error?: unknown } | null = JSON.parse(data);
      const error = chunk?.error;
      if (typeof error === 'object' && error !== null) throw toUpstreamError(error, { describe });
      events.push(...reader.push(chunk));
    }
    return { events };
  } catch (fault) {
    return { events, fault };
  }
}

/** What the client throws, for the one table of upstream errors. */
function toModelError(thrown: unknown, signal: AbortSignal, describe: DescribeRejection): AppError {
  if (signal.aborted || thrown instanceof APIUserAbortError) return new AppError('cancelled');
  if (thrown instanceof APIError && !(thrown instanceof APIConnectionError)) {
    const { status, code, type, param, headers } = thrown;
    const { message } = (thrown.error ?? {}) as { message?: unknown };
    return toUpstreamError({ status, code, type, param, headers, message }, { describe, cause: thrown });
  }
  // The client wraps what fails before the answer begins; what it does not wrap broke while it was being read.
  return toConnectionError(thrown, { signal, isOpen: !(thrown instanceof APIConnectionError) });
}

type StreamingBody = OpenAI.Chat.ChatCompletionCreateParamsStreaming;

/** Unknown fields travel on, so the body is wider than the client's type. */
function toStreamingBody(request: ChatRequest, upstreamModel: string): StreamingBody {
  return toUpstreamBody(request, upstreamModel) as unknown as StreamingBody;
}

function createClient({ upstream, upstreamModel, fetch }: OpenAICompatibleOptions): OpenAI {
  // Retries and time limits belong to the layers around this one. The client's own log would hold what the
  // model said. What is left out here, the client takes from environment variables that may be another
  // provider's, so everything is given.
  const common = {
    apiKey: upstream.apiKey ?? 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: 2 ** 31 - 1,
    logLevel: 'off' as const,
    fetch: boundFetch(upstream, fetch ?? globalThis.fetch),
  };
  if (upstream.kind === 'openai') return new OpenAI({ ...common, baseURL: upstream.baseUrl });
  const baseURL = `${upstream.endpoint.replace(/\/+$/, '')}/openai`;
  return new AzureOpenAI({
    ...common,
    baseURL,
    apiVersion: upstream.apiVersion,
    deployment: upstreamModel,
  });
}

/**
 * Binds the key, and what a prompt says, to the upstream's own address: a redirect is not followed, and no
 * header goes out but these and the trace's (the client would add those of `OPENAI_CUSTOM_HEADERS`, whosever they are).
 */
function boundFetch(upstream: Upstream, send: typeof fetch): typeof fetch {
  const headers: Record<string, string> = { accept: 'text/event-stream', 'content-type': 'application/json' };
  if (upstream.kind === 'azure') headers['api-key'] = upstream.apiKey;
  else if (upstream.apiKey !== undefined) headers.authorization = `Bearer ${upstream.apiKey}`;
  return async (url, init) => {
    const traceparent = new Headers(init?.headers).get('traceparent');
    const sent = traceparent === null ? headers : { ...headers, traceparent };
    const response = await send(url, { ...init, headers: sent, redirect: 'manual' });
    return response.ok ? response : shortRefusal(response);
  };
}

/** Headers of a refusal that say when to ask again. No other is looked at. */
const refusalHeaders = ['retry-after', 'retry-after-ms', 'x-should-retry'];

/** A refusal with as much of its body as an error needs: the client reads all of it. */
async function shortRefusal(response: Response): Promise<Response> {
  const { status } = response;
  const headers = new Headers();
  for (const name of refusalHeaders) {
    const value = response.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const text = await readBodyStart(response);
  return new Response(text === '' ? null : text, { status, headers });
}
