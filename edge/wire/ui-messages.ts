/** The AI SDK's UI message stream, v1: every turn event is exactly one chunk, so `startIndex` is our own numbering. */
import type { JsonObject, Usage } from '../../shared/model/chat-model.ts';
import { encodeSse } from '../../shared/stream/sse.ts';
import type { NumberedTurnEvent, PartKind, TurnEvent } from '../../shared/turn/turn-events.ts';
import { emptyTurnResult, foldTurnEvent, type TurnResult } from '../../shared/turn/turn-result.ts';
import type { TurnEncoder, Wire } from './wire.ts';

export function createUiMessagesWire(): Wire {
  return {
    streamHeaders: {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-vercel-ai-ui-message-stream': 'v1',
      'x-accel-buffering': 'no',
    },
    encoder: (turnId) => new UiMessagesEncoder(turnId),
    body: (result) => result,
  };
}

class UiMessagesEncoder implements TurnEncoder {
  readonly #turnId: string;
  readonly #result: TurnResult = emptyTurnResult();

  constructor(turnId: string) {
    this.#turnId = turnId;
  }

  encode({ seq, event }: NumberedTurnEvent): string {
    foldTurnEvent(this.#result, event);
    const chunk = toChunk(event, this.#result, this.#turnId);
    return encodeSse({ id: `${this.#turnId}:${seq}`, data: JSON.stringify(chunk) });
  }

  end(): string {
    return 'data: [DONE]\n\n';
  }
}

type Chunk = { type: string; [field: string]: unknown };

const partStarts = { text: 'text-start', refusal: 'text-start', reasoning: 'reasoning-start' } as const;
const partEnds = {
  text: 'text-end',
  refusal: 'text-end',
  reasoning: 'reasoning-end',
} as const satisfies Record<PartKind, string>;

function toChunk(event: TurnEvent, result: TurnResult, turnId: string): Chunk {
  switch (event.type) {
    case 'turn-start':
      return {
        type: 'start',
        messageId: `msg_${turnId}`,
        messageMetadata: {
          model: event.model,
          route: event.route,
          createdAt: event.createdAt,
          ...(event.fallback && { fallback: event.fallback }),
        },
      };
    case 'turn-progress':
      return { type: 'start-step' };
    case 'item-start': {
      const { head } = event;
      return head.kind === 'tool-call'
        ? { type: 'tool-input-start', toolCallId: head.callId, toolName: head.name }
        : structure(event.type, event.item);
    }
    case 'part-start':
      return { type: partStarts[event.part], id: partId(event.item) };
    case 'text-delta':
    case 'refusal-delta':
      return { type: 'text-delta', id: partId(event.item), delta: event.text };
    case 'reasoning-delta':
      return { type: 'reasoning-delta', id: partId(event.item), delta: event.text };
    case 'tool-call-delta':
      return {
        type: 'tool-input-delta',
        toolCallId: callOf(result, event.item).toolCallId,
        inputTextDelta: event.arguments,
      };
    case 'text-done':
      return { type: partEnds[event.part], id: partId(event.item) };
    case 'tool-call-done':
      return toolInput(result, event.item);
    case 'part-done':
    case 'item-done':
      return structure(event.type, event.item);
    case 'extra-delta':
      return toSource(event.fields) ?? { type: 'data-edgewise-extra', data: event.fields, transient: true };
    case 'turn-end':
      return event.error
        ? { type: 'error', errorText: event.error.message }
        : {
            type: 'finish',
            finishReason: toFinishReason(event),
            messageMetadata: toMetadata(event),
          };
  }
}

/** A citation, as the AI SDK shows sources. */
function toSource({ annotations }: JsonObject): Chunk | undefined {
  const [annotation] = Array.isArray(annotations) ? (annotations as JsonObject[]) : [];
  const citation = annotation?.url_citation as { url?: string; title?: string } | undefined;
  if (citation?.url === undefined) return undefined;
  return { type: 'source-url', sourceId: citation.url, url: citation.url, title: citation.title };
}

/** An event that this wire has no chunk for. Data parts are the stream's own way to extend it; transient ones are not kept. */
function structure(event: string, item: number): Chunk {
  return { type: 'data-edgewise', data: { event, item }, transient: true };
}

function partId(item: number): string {
  return `part_${item}`;
}

function callOf(result: TurnResult, index: number): { toolCallId: string; toolName: string; text: string } {
  const item = result.items[index];
  if (item?.head.kind !== 'tool-call') throw new Error(`item ${index} is no tool call`);
  return { toolCallId: item.head.callId, toolName: item.head.name, text: item.text };
}

function toolInput(result: TurnResult, index: number): Chunk {
  const { text, ...call } = callOf(result, index);
  try {
    return { type: 'tool-input-available', ...call, input: JSON.parse(text || '{}') };
  } catch {
    return { type: 'tool-input-error', ...call, input: text, errorText: 'The arguments are not valid JSON.' };
  }
}

function toFinishReason({ status, finishReason }: Extract<TurnEvent, { type: 'turn-end' }>): string {
  return status === 'cancelled' ? 'interrupted' : (finishReason ?? 'other').replace('_', '-');
}

function toMetadata(end: Extract<TurnEvent, { type: 'turn-end' }>): Record<string, unknown> {
  return {
    usage: toUsage(end.usage),
    ...(end.receipt ? { context: end.receipt } : {}),
    ...(end.status === 'cancelled' ? { cancelled: true } : {}),
  };
}

function toUsage(usage: Usage): Record<string, unknown> {
  return { ...usage, totalTokens: usage.inputTokens + usage.outputTokens };
}
