/**
 * What the edge and the core say to each other. The edge asks for a generation and reads its events; each
 * event has a number, so that a reader that lost its connection attaches again where it was.
 *
 * - `POST /v1/generations`              {@link GenerationRequest} -> event stream
 * - `GET  /v1/generations/:id/events?after=N` -> the events after number N, then the live rest; 404 `generation_not_found`
 * - `POST /v1/generations/:id/cancel`   -> {@link GenerationOutcome}; idempotent
 * - `GET  /v1/models`                   -> {@link ModelList}
 *
 * Every call carries a service token (`service-token.ts`). An event is one SSE event: `id` is its number
 * from 0, `data` the {@link ChatEvent} as JSON. Comments keep a silent connection open.
 */

import { AppError, parseErrorInfo } from '../errors.ts';
import type { ChatEvent, ChatMessage, JsonObject } from '../model/chat-model.ts';
import type { TokenEncoding } from '../model/token-count.ts';
import { decodeSse, encodeSse, type SseMessage } from '../stream/sse.ts';
import type { RecallWish } from './memory-protocol.ts';
import type { Task } from './task-protocol.ts';

export interface GenerationRequest {
  /** The turn's id, chosen by the edge. A second request with the same id attaches to the first. */
  id: string;
  model: string;
  messages: ChatMessage[];
  params: JsonObject;
  /**
   * False: the generation lives as long as this connection. True: the core owns it, keeps it running when
   * nobody reads, and keeps its events for a while after its end.
   */
  detached: boolean;
  /** Nobody waits for it: others go first where an upstream's quota is short. */
  background?: boolean | undefined;
  /** What to look for before the model is asked. */
  recall?: RecallWish | undefined;
}

export interface GenerationOutcome {
  /** `cancelled` by this call or an earlier one; `finished` if the end came first. */
  status: 'cancelled' | 'finished' | 'unknown';
}

export interface NumberedChatEvent {
  seq: number;
  event: ChatEvent;
}

/** What a model can be asked for. */
export type Offer = 'chat' | Task;

/** One model of `GET /v1/models`: OpenAI's object, with what Edgewise knows under `edgewise`. */
export interface ModelInfo {
  id: string;
  object: 'model';
  /** Unix time in seconds. */
  created: number;
  owned_by: string;
  edgewise: {
    kind: 'model' | 'alias';
    /** For an alias: the models it stands for, in order. */
    targets?: string[];
    /** Most tokens that prompt and answer may have together. */
    context_length: number;
    encoding: TokenEncoding;
    /** False for the extractive model, which quotes documents and generates nothing. */
    generative: boolean;
    place: 'edge' | 'core';
    /** US dollars per million tokens, where they are known. */
    price?: { input: number; output: number; cachedInput?: number | undefined };
    /** What it can be asked for; absent: chat. */
    offers?: Offer[];
    /** `tools`, `vision`, `json_schema`, where the models file says it; absent: nothing is known. */
    capabilities?: string[];
    /** Whether the model is left alone for a while, since it has failed again and again. */
    breaker?: 'closed' | 'open' | 'half-open';
    /** Why this model is there: "OPENAI_API_KEY is set". */
    reason?: string;
  };
}

export interface ModelList {
  object: 'list';
  data: ModelInfo[];
}

const eventTypes: ReadonlySet<string> = new Set<ChatEvent['type']>([
  'model-start',
  'text-delta',
  'reasoning-delta',
  'refusal-delta',
  'tool-call-delta',
  'extra-delta',
  'usage',
  'turn-end',
  'error',
]);

export function encodeGenerationEvent({ seq, event }: NumberedChatEvent): string {
  return encodeSse({ id: String(seq), data: JSON.stringify(event) });
}

/** The events of a generation's byte stream. @throws AppError `upstream_invalid` on anything that is none */
export async function* decodeGenerationEvents(
  bytes: ReadableStream<Uint8Array>,
): AsyncGenerator<NumberedChatEvent, void, void> {
  for await (const message of decodeSse(bytes)) yield parseGenerationEvent(message);
}

function parseGenerationEvent(message: SseMessage): NumberedChatEvent {
  const seq = /^\d+$/.test(message.id ?? '') ? Number(message.id) : Number.NaN;
  let event: ChatEvent;
  try {
    event = JSON.parse(message.data);
  } catch (cause) {
    throw new AppError('upstream_invalid', { cause });
  }
  if (!Number.isSafeInteger(seq) || !eventTypes.has(event?.type)) {
    throw new AppError('upstream_invalid');
  }
  if (event.type === 'error') return { seq, event: { type: 'error', error: parseErrorInfo(event.error) } };
  return { seq, event };
}
