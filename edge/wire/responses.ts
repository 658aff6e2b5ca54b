/** OpenAI's Responses wire: every turn event is one `response.*` event, and its number is `sequence_number`. */

import { toOpenAIError } from '../../shared/errors.ts';
import type { JsonObject, Usage } from '../../shared/model/chat-model.ts';
import { encodeSse, SSE_CONTENT_TYPE } from '../../shared/stream/sse.ts';
import type { NumberedTurnEvent, PartKind, TurnEvent } from '../../shared/turn/turn-events.ts';
import {
  emptyTurnResult,
  foldTurnEvent,
  type TurnResult,
  type TurnResultItem,
  turnText,
} from '../../shared/turn/turn-result.ts';
import type { TurnEncoder, Wire } from './wire.ts';

export interface ResponsesOptions {
  responseId: string;
  /** Fields of the request that a response repeats (`instructions`, `tools`, `metadata`, ...). */
  echo: JsonObject;
  /** Unix time in seconds, for a turn that has not begun. */
  createdAt: number;
}

export function createResponsesWire(options: ResponsesOptions): Wire {
  return {
    streamHeaders: { 'content-type': SSE_CONTENT_TYPE, 'cache-control': 'no-cache, no-transform' },
    encoder: (turnId) => {
      const encoder = createResponsesEventEncoder(options);
      return new ResponsesSseEncoder(encoder, turnId);
    },
    body: (result) => toResponse(result, options),
  };
}

/** An event of the Responses stream as an object, for SSE and WebSocket alike. */
export interface ResponsesEvent {
  type: string;
  sequence_number: number;
  [field: string]: unknown;
}

/** Sees every event of a turn from 0, in order; gives exactly one event of the stream for each. */
export type ResponsesEventEncoder = (numbered: NumberedTurnEvent) => ResponsesEvent;

export function createResponsesEventEncoder(options: ResponsesOptions): ResponsesEventEncoder {
  const result = emptyTurnResult();
  return ({ seq, event }) => {
    foldTurnEvent(result, event);
    return { ...toEvent(event, result, options), sequence_number: seq };
  };
}

class ResponsesSseEncoder implements TurnEncoder {
  readonly #encode: ResponsesEventEncoder;
  readonly #turnId: string;

  constructor(encode: ResponsesEventEncoder, turnId: string) {
    this.#encode = encode;
    this.#turnId = turnId;
  }

  encode(numbered: NumberedTurnEvent): string {
    const event = this.#encode(numbered);
    return encodeSse({
      event: event.type,
      id: `${this.#turnId}:${numbered.seq}`,
      data: JSON.stringify(event),
    });
  }

  /** The stream ends with its last event; OpenAI sends no `[DONE]` here. */
  end(): string {
    return '';
  }
}

/** What part an item's text goes to, in the names of the Responses stream. */
const partEvents = {
  text: { delta: 'response.output_text.delta', done: 'response.output_text.done', field: 'text' },
  refusal: { delta: 'response.refusal.delta', done: 'response.refusal.done', field: 'refusal' },
  reasoning: { delta: 'response.reasoning_text.delta', done: 'response.reasoning_text.done', field: 'text' },
} as const satisfies Record<PartKind, { delta: string; done: string; field: string }>;

function toEvent(
  event: TurnEvent,
  result: TurnResult,
  options: ResponsesOptions,
): { type: string } & JsonRecord {
  switch (event.type) {
    case 'turn-start':
      return { type: 'response.created', response: toResponse(result, options) };
    case 'turn-progress':
      return { type: 'response.in_progress', response: toResponse(result, options) };
    case 'item-start':
      return itemEvent('response.output_item.added', event.item, result);
    case 'part-start':
      return {
        type: 'response.content_part.added',
        ...place(event.item, result),
        part: toPart(event.part, '', []),
      };
    case 'text-delta':
      return {
        type: partEvents.text.delta,
        ...place(event.item, result),
        delta: event.text,
        logprobs: contentLogprobs([event.logprobs]),
      };
    case 'refusal-delta':
      return { type: partEvents.refusal.delta, ...place(event.item, result), delta: event.text };
    case 'reasoning-delta':
      return { type: partEvents.reasoning.delta, ...place(event.item, result), delta: event.text };
    case 'tool-call-delta':
      return {
        type: 'response.function_call_arguments.delta',
        item_id: itemId(result, event.item),
        output_index: event.item,
        delta: event.arguments,
      };
    case 'extra-delta':
      return (
        annotationEvent(event.fields, result) ?? { type: 'response.edgewise.extra', fields: event.fields }
      );
    case 'text-done': {
      const { done, field } = partEvents[event.part];
      const { text, logprobs } = itemAt(result, event.item);
      const tail = event.part === 'text' ? { logprobs: contentLogprobs(logprobs) } : {};
      return { type: done, ...place(event.item, result), [field]: text, ...tail };
    }
    case 'part-done': {
      const { text, logprobs } = itemAt(result, event.item);
      return {
        type: 'response.content_part.done',
        ...place(event.item, result),
        part: toPart(event.part, text, logprobs, annotationsOf(result, event.item)),
      };
    }
    case 'tool-call-done': {
      const { head, text } = itemAt(result, event.item);
      return {
        type: 'response.function_call_arguments.done',
        item_id: itemId(result, event.item),
        output_index: event.item,
        name: head.kind === 'tool-call' ? head.name : '',
        arguments: text,
      };
    }
    case 'item-done':
      return itemEvent('response.output_item.done', event.item, result);
    case 'turn-end':
      return { type: endEvents[event.status], response: toResponse(result, options) };
  }
}

type JsonRecord = Record<string, unknown>;

/** OpenAI's stream has no event of its own for a cancelled response; its `status` says it. */
const endEvents = {
  completed: 'response.completed',
  incomplete: 'response.incomplete',
  cancelled: 'response.incomplete',
  failed: 'response.failed',
} as const;

function itemEvent(type: string, index: number, result: TurnResult): { type: string } & JsonRecord {
  return { type, output_index: index, item: toOutputItem(result, index) };
}

function place(item: number, result: TurnResult): JsonRecord {
  return { item_id: itemId(result, item), output_index: item, content_index: 0 };
}

const itemPrefixes = { message: 'msg', reasoning: 'rs', 'tool-call': 'fc' } as const;

function itemId(result: TurnResult, index: number): string {
  return `${itemPrefixes[itemAt(result, index).head.kind]}_${result.turnId}_${index}`;
}

function itemAt(result: TurnResult, index: number): TurnResultItem {
  const item = result.items[index];
  if (!item) throw new Error(`a turn event names item ${index}, which has not begun`);
  return item;
}

function toPart(
  part: PartKind,
  text: string,
  logprobs: unknown[],
  annotations: JsonRecord[] = [],
): JsonRecord {
  if (part === 'refusal') return { type: 'refusal', refusal: text };
  if (part === 'reasoning') return { type: 'reasoning_text', text };
  return { type: 'output_text', text, annotations, logprobs: contentLogprobs(logprobs) };
}

/** Citations belong to the text that was said last. */
function annotationsOf(result: TurnResult, index: number): JsonRecord[] {
  const { annotations } = result.extra;
  if (!Array.isArray(annotations) || index !== newestMessage(result)) return [];
  return annotations.map((annotation) => {
    const { type, url_citation: citation } = annotation as { type: string; url_citation?: JsonObject };
    return { type, ...citation };
  });
}

function annotationEvent(
  fields: JsonObject,
  result: TurnResult,
): ({ type: string } & JsonRecord) | undefined {
  const item = newestMessage(result);
  if (fields.annotations === undefined || item < 0) return undefined;
  const annotations = annotationsOf(result, item);
  return {
    type: 'response.output_text.annotation.added',
    ...place(item, result),
    annotation_index: annotations.length - 1,
    annotation: annotations.at(-1),
  };
}

function newestMessage(result: TurnResult): number {
  return result.items.findLastIndex(({ head }) => head.kind === 'message');
}

/** The `content` lists of Chat Completions' logprobs, as one list. */
function contentLogprobs(pieces: unknown[]): unknown[] {
  return pieces.flatMap((piece) => {
    const content = (piece as { content?: unknown } | undefined)?.content;
    return Array.isArray(content) ? content : [];
  });
}

function toOutputItem(result: TurnResult, index: number): JsonRecord {
  const { head, part, text, logprobs, done, complete } = itemAt(result, index);
  const ended = result.status !== 'in_progress';
  const status = complete ? 'completed' : done || ended ? 'incomplete' : 'in_progress';
  const id = itemId(result, index);
  if (head.kind === 'tool-call') {
    return { id, type: 'function_call', status, call_id: head.callId, name: head.name, arguments: text };
  }
  const content =
    part && (text !== '' || done) ? [toPart(part, text, logprobs, annotationsOf(result, index))] : [];
  if (head.kind === 'reasoning') return { id, type: 'reasoning', status, summary: [], content };
  return { id, type: 'message', status, role: 'assistant', content };
}

/** The response object at this point of the turn. */
export function toResponse(
  result: TurnResult,
  { responseId, echo, createdAt }: ResponsesOptions,
): JsonRecord {
  const { status, error, usage } = result;
  return {
    id: responseId,
    object: 'response',
    created_at: result.createdAt || createdAt,
    ...echo,
    status,
    model: result.model || echo.model,
    output: result.items.map((_, index) => toOutputItem(result, index)),
    output_text: turnText(result, 'text'),
    error: error ? { code: toResponseErrorCode(error.code), message: error.message } : null,
    incomplete_details: status === 'incomplete' ? { reason: incompleteReason(result) } : null,
    usage: usage && status !== 'in_progress' ? toUsage(usage) : null,
    ...(result.receipt || result.route || error
      ? {
          edgewise: {
            route: result.route,
            context: result.receipt,
            ...(result.cache && { cache: result.cache }),
            ...(result.fallback && { fallback: result.fallback }),
            ...(error && toOpenAIError(error)),
          },
        }
      : {}),
  };
}

function incompleteReason({ finishReason }: TurnResult): string {
  return finishReason === 'content_filter' ? 'content_filter' : 'max_output_tokens';
}

/** OpenAI's closed set has few codes; ours stands in full under `edgewise`. */
function toResponseErrorCode(code: string): string {
  return code === 'rate_limit_exceeded' ? code : 'server_error';
}

function toUsage(usage: Usage): JsonRecord {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: { cached_tokens: usage.cachedInputTokens ?? 0 },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: usage.inputTokens + usage.outputTokens,
    ...(usage.estimated ? { estimated: true } : {}),
  };
}
