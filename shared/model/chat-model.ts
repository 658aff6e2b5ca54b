/**
 * The one idea of the house: everything that answers is a {@link ChatModel}. The edge's light model, the
 * client of the core, every provider, a cached replay and the ladder's last rung implement it; wrapping
 * one (`withFallback`, `withTimeLimits`, ...) gives another.
 */
import type { ErrorInfo } from '../errors.ts';
import type { LimitMark } from '../limit-mark.ts';

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | JsonValue[]
  | { [key: string]: JsonValue | undefined };
export type JsonObject = { [key: string]: JsonValue | undefined };

export type ChatRole = 'system' | 'developer' | 'user' | 'assistant' | 'tool' | 'function';

/** One message in OpenAI's Chat Completions form. Fields that Edgewise does not know travel unchanged. */
export interface ChatMessage {
  role: ChatRole;
  /** Text, content parts (`{ type: 'text' | 'image_url' | ... }`), or `null` beside `tool_calls`. */
  content?: string | JsonObject[] | null | undefined;
  name?: string | undefined;
  tool_calls?: ToolCall[] | undefined;
  tool_call_id?: string | undefined;
  [field: string]: JsonValue | ToolCall[] | undefined;
}

export interface ToolCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

/** What a model is asked: the request without what only the connection needs (`stream`, `session_id`). */
export interface ChatRequest {
  /** An alias (`auto`, `fast`, `smart`) or the concrete name of a model in the registry. */
  model: string;
  messages: ChatMessage[];
  /** Every other field of the Chat Completions request, by its OpenAI name (`temperature`, `tools`, ...). */
  params: JsonObject;
  /** The span of its generation (W3C Trace Context), for the upstream to go on with. */
  traceparent?: string | undefined;
  /** What to search for before the model is called. Models at the edge ignore it. */
  recall?: RecallWish | undefined;
  /** The answer is taken as a whole: its events need not come one by one. */
  isWhole?: boolean;
  /** Set where another model stands behind the one that is asked. */
  firstTokenBudget?: TimeBudget | undefined;
}

/**
 * What a model may take of the time that its ladder has until the first token: tries, and pauses between them. Each layer
 * that waits takes from it. A model that has taken the request keeps its own limit for the first token.
 */
export interface TimeBudget {
  /** Milliseconds; below 0 when more was taken. */
  leftMs: number;
}

/** What to look for before a model is asked. */
export interface RecallWish {
  /** The conversation whose earlier rounds are looked through. */
  sessionId?: string | undefined;
  /** Its rounds up to this one are not in the prompt; 0: all are. */
  throughRound: number;
  /** Whether documents are looked through, and cited. */
  knowledge: boolean;
  /** Most tokens that what is found may take. */
  tokens: number;
}

/** Token counts of one turn. */
export interface Usage {
  inputTokens: number;
  outputTokens: number;
  cachedInputTokens?: number | undefined;
  reasoningTokens?: number | undefined;
  /** True when the model reported nothing and the counts come from a tokenizer on our side. */
  estimated: boolean;
}

/** Whether an answer was asked of a model or was there already, and why. */
export interface CacheMark {
  /**
   * `hit`: the same question was answered before; `semantic`: one that means the same was; `coalesced`: it is
   * being answered for somebody else; `miss`: asked now, and kept when it comes out whole; `bypass`: see `reason`.
   */
  outcome: 'hit' | 'coalesced' | 'semantic' | 'miss' | 'bypass';
  reason?: string;
  /** Seconds since the answer was made (RFC 9111, section 5.1). */
  ageSeconds?: number;
  /** The question's name in the cache. */
  key?: string;
}

/** That another model answers than the one that stands first in the ladder. */
export interface FallbackMark {
  /** The model that was to answer. */
  from: string;
  /** The code of the failure before the one that answers. */
  reason: string;
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter';

/**
 * What a model says, in order. The rules, held by `testing/chat-model-contract.ts`:
 * - `model-start` comes first, as soon as the model has taken the request, before any delta; only an
 *   `error` may stand in its place;
 * - at most one `usage`, before the end;
 * - exactly one terminal event, `turn-end` or `error`, and then the stream closes. The stream itself
 *   never errors: a failure is an event, so that every reader has one path.
 */
export type ChatEvent =
  | {
      type: 'model-start';
      /** The concrete model that answers, as the registry names it. */
      model: string;
      /** The provider's kind, in OpenTelemetry's `gen_ai.provider.name` values where one exists. */
      provider: string;
      /** How the cache took part. */
      cache?: CacheMark;
      /** What is left of the caller's limits. */
      limits?: LimitMark;
      /** Set when the first choice could not answer. */
      fallback?: FallbackMark;
    }
  | { type: 'text-delta'; text: string; logprobs?: JsonValue }
  | { type: 'reasoning-delta'; text: string }
  | { type: 'refusal-delta'; text: string }
  | {
      type: 'tool-call-delta';
      /** Place of the call among the calls of this answer, from 0. */
      index: number;
      /** Set on the first delta of a call. */
      id?: string;
      /** Set on the first delta of a call. */
      name?: string;
      /** A piece of the arguments' JSON text; may be empty. */
      arguments: string;
    }
  /** Fields of an upstream delta that have no event of their own. They reach the client unchanged. */
  | { type: 'extra-delta'; fields: JsonObject }
  | { type: 'usage'; usage: Usage }
  | { type: 'turn-end'; finishReason: FinishReason }
  | { type: 'error'; error: ErrorInfo };

/** An answer on its way: read once, by one reader. A `ReadableStream` of events is one. */
export interface ChatStream extends AsyncIterable<ChatEvent> {
  getReader(): ChatStreamReader;
  /** Ends the call. */
  cancel(): Promise<void>;
}

export interface ChatStreamReader {
  read(): Promise<{ done: false; value: ChatEvent } | { done: true; value?: ChatEvent | undefined }>;
  cancel(): Promise<void>;
}

export interface ChatModel {
  /** The name for logs and for `x-edgewise-model` until `model-start` says more. */
  readonly name: string;
  /**
   * Starts the answer. Never throws and never rejects: see {@link ChatEvent}.
   * Aborting `signal`, or cancelling the stream, cancels the call upstream; after an abort the stream
   * ends with an `error` of code `cancelled` (nobody reads it after a cancel).
   */
  stream(request: ChatRequest, signal: AbortSignal): ChatStream;
}

export function isTerminal(event: ChatEvent): boolean {
  return event.type === 'turn-end' || event.type === 'error';
}

/** The plain text of a message: its string content, or its text parts in order. */
export function messageText(message: ChatMessage): string {
  if (typeof message.content === 'string') return message.content;
  if (!Array.isArray(message.content)) return '';
  return message.content.map((part) => (typeof part.text === 'string' ? part.text : '')).join('');
}
