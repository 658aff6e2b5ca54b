/** OpenAI's Chat Completions wire: chunks for a stream, one object otherwise. */

import { toOpenAIError } from '../../shared/errors.ts';
import type { FinishReason, JsonObject } from '../../shared/model/chat-model.ts';
import { encodeSse, SSE_CONTENT_TYPE } from '../../shared/stream/sse.ts';
import type { NumberedTurnEvent, TurnEvent } from '../../shared/turn/turn-events.ts';
import {
  chatCompletionId,
  toChatCompletion,
  toCompletionUsage,
  toExtension,
} from '../../shared/wire/chat-completion.ts';
import type { TurnEncoder, Wire } from './wire.ts';

export interface ChatCompletionsOptions {
  /** `stream_options.include_usage`. */
  includeUsage: boolean;
  /** Whether events carry an `id`, which makes them resumable. */
  ids: boolean;
  requestId: string;
}

export function createChatCompletionsWire(options: ChatCompletionsOptions): Wire {
  return {
    streamHeaders: { 'content-type': SSE_CONTENT_TYPE, 'cache-control': 'no-cache, no-transform' },
    encoder: (turnId) => new ChatCompletionsEncoder(options, turnId),
    body: toChatCompletion,
  };
}

class ChatCompletionsEncoder implements TurnEncoder {
  readonly #options: ChatCompletionsOptions;
  readonly #turnId: string;
  /** What every chunk begins with; known from the turn's start on. */
  #head: JsonObject = {};
  readonly #toolIndexes = new Map<number, number>();

  constructor(options: ChatCompletionsOptions, turnId: string) {
    this.#options = options;
    this.#turnId = turnId;
  }

  encode({ seq, event }: NumberedTurnEvent): string {
    const chunk = this.#toChunk(event);
    if (chunk === undefined) return '';
    const data = JSON.stringify(chunk);
    return encodeSse(this.#options.ids ? { id: `${this.#turnId}:${seq}`, data } : { data });
  }

  end(): string {
    return 'data: [DONE]\n\n';
  }

  #toChunk(event: TurnEvent): object | undefined {
    switch (event.type) {
      case 'turn-start':
        this.#head = {
          id: chatCompletionId(event.turnId),
          object: 'chat.completion.chunk',
          created: event.createdAt,
          model: event.model,
        };
        return this.#chunk({ role: 'assistant', content: '' });
      case 'text-delta':
        return this.#chunk({ content: event.text }, null, event.logprobs);
      case 'refusal-delta':
        return this.#chunk({ refusal: event.text });
      case 'reasoning-delta':
        return this.#chunk({ reasoning_content: event.text });
      case 'extra-delta':
        return this.#chunk(event.fields);
      case 'item-start': {
        const { head } = event;
        if (head.kind !== 'tool-call') return undefined;
        this.#toolIndexes.set(event.item, head.toolIndex);
        const call = { index: head.toolIndex, id: head.callId, type: 'function' };
        return this.#chunk({ tool_calls: [{ ...call, function: { name: head.name, arguments: '' } }] });
      }
      case 'tool-call-delta': {
        const index = this.#toolIndexes.get(event.item) ?? 0;
        return this.#chunk({ tool_calls: [{ index, function: { arguments: event.arguments } }] });
      }
      case 'item-done':
        return event.finishReason ? this.#finish(event.finishReason, event.complete) : undefined;
      case 'turn-end':
        return this.#toEnd(event);
      default:
        return undefined;
    }
  }

  #chunk(delta: JsonObject, finishReason: string | null = null, logprobs?: unknown): object {
    const choice = {
      index: 0,
      delta,
      ...(logprobs === undefined ? {} : { logprobs }),
      finish_reason: finishReason,
    };
    return { ...this.#head, choices: [choice], ...(this.#options.includeUsage ? { usage: null } : {}) };
  }

  #finish(finishReason: FinishReason, complete: boolean): object {
    // Only a cancelled turn stops without being complete.
    const cancelled = finishReason === 'stop' && !complete;
    return { ...this.#chunk({}, finishReason), ...(cancelled ? { edgewise: { cancelled } } : {}) };
  }

  #toEnd(event: Extract<TurnEvent, { type: 'turn-end' }>): object | undefined {
    if (event.error) return toOpenAIError(event.error, this.#options.requestId);
    const { includeUsage } = this.#options;
    // The client keeps the conversation: it must have the state, whatever else it asked for.
    if (!includeUsage && event.receipt?.state === undefined) return undefined;
    const usage = includeUsage ? { usage: toCompletionUsage(event.usage) } : {};
    return { ...this.#head, choices: [], ...usage, ...toExtension(event) };
  }
}
