/** Any service that speaks OpenAI's Chat Completions, through the official client: OpenAI, Azure OpenAI and their likes. */
import { APIConnectionError, APIError, APIUserAbortError, AzureOpenAI, OpenAI } from 'openai';
import { AppError } from '../../shared/errors.ts';
import type { ChatEvent, ChatModel, ChatRequest } from '../../shared/model/chat-model.ts';
import { eventStream } from '../../shared/model/event-stream.ts';
import { toConnectionError, toUpstreamError } from '../../shared/model/upstream-errors.ts';
import { toUpstreamBody } from '../../shared/wire/chat-schema.ts';
import { CompletionChunkReader } from '../../shared/wire/completion-chunks.ts';
import { rejectionText } from './rejection-text.ts';

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
  fetch?: typeof fetch;
}

export function createOpenAICompatibleModel(options: OpenAICompatibleOptions): ChatModel {
  const { name, provider, upstreamModel } = options;
  const client = createClient(options);

  async function* answer(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent, void, void> {
    const reader = new CompletionChunkReader();
    try {
      const { traceparent } = request;
      const chunks = await client.chat.completions.create(toStreamingBody(request, upstreamModel), {
        signal,
        ...(traceparent !== undefined && { headers: { traceparent } }),
      });
      yield { type: 'model-start', model: name, provider };
      for await (const chunk of chunks) yield* reader.push(chunk);
      // The client ends an aborted stream as if it were whole.
      signal.throwIfAborted();
      yield* reader.end();
    } catch (error) {
      yield { type: 'error', error: toModelError(error, signal).toInfo() };
    }
  }

  return { name, stream: (request, signal) => eventStream(signal, (inner) => answer(request, inner)) };
}

/** What the client throws, for the one table of upstream errors. */
function toModelError(thrown: unknown, signal: AbortSignal): AppError {
  if (signal.aborted || thrown instanceof APIUserAbortError) return new AppError('cancelled');
  if (thrown instanceof APIError && !(thrown instanceof APIConnectionError)) {
    const { status, code, type, param, headers } = thrown;
    const { message } = (thrown.error ?? {}) as { message?: unknown };
    return toUpstreamError(
      { status, code, type, param, headers, message },
      { describe: rejectionText, cause: thrown },
    );
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
  return (url, init) => {
    const traceparent = new Headers(init?.headers).get('traceparent');
    const sent = traceparent === null ? headers : { ...headers, traceparent };
    return send(url, { ...init, headers: sent, redirect: 'manual' });
  };
}
