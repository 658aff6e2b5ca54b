/** Reads an upstream's Chat Completions stream as {@link ChatEvent}s, as OpenAI and its many likes really send it. */

import { AppError } from '../errors.ts';
import type { ChatEvent, FinishReason, JsonObject, JsonValue, Usage } from '../model/chat-model.ts';

/** Delta fields with an event of their own, or with nothing to say. */
const knownDeltaFields: ReadonlySet<string> = new Set([
  'role',
  'content',
  'refusal',
  'reasoning_content',
  'reasoning',
  'tool_calls',
  'function_call',
]);

const finishReasons: Record<string, FinishReason> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
  content_filter: 'content_filter',
};

/**
 * One per answer. Never throws. Usage may come in a chunk of its own, with the finish, or with every
 * chunk (the last one counts), so it and the turn's end are held back until {@link end}.
 */
export class CompletionChunkReader {
  #usage: Usage | undefined;
  #finishReason: FinishReason | undefined;
  /** The tool calls so far: the index and the id that the upstream gave them. */
  readonly #calls: { said: number | undefined; id: string }[] = [];
  #ended = false;

  push(chunk: unknown): ChatEvent[] {
    if (this.#ended) return [];
    if (!isObject(chunk)) return this.#fail('upstream_invalid');
    if (isObject(chunk.error) || typeof chunk.error === 'string') return this.#fail('upstream_error');
    if (isObject(chunk.usage)) this.#usage = toUsage(chunk.usage);
    const choice = Array.isArray(chunk.choices) ? chunk.choices[0] : undefined;
    if (!isObject(choice)) return [];
    const events = isObject(choice.delta) ? this.#readDelta(choice.delta, choice.logprobs) : [];
    if (typeof choice.finish_reason === 'string' && choice.finish_reason !== '') {
      this.#finishReason = finishReasons[choice.finish_reason] ?? 'stop';
    }
    return events;
  }

  /** An answer that came in one piece, as the one chunk that it amounts to. */
  pushWhole(completion: unknown): ChatEvent[] {
    if (!isObject(completion) || !Array.isArray(completion.choices)) return this.push(completion);
    const choices = completion.choices.map((choice) => {
      if (!isObject(choice) || !isObject(choice.message)) return choice;
      const { message, ...rest } = choice;
      return { ...rest, delta: message };
    });
    return this.push({ ...completion, choices });
  }

  /** What remains when the upstream has closed its stream. */
  end(): ChatEvent[] {
    if (this.#ended) return [];
    const usage: ChatEvent[] = this.#usage ? [{ type: 'usage', usage: this.#usage }] : [];
    if (!this.#finishReason) return [...usage, ...this.#fail('upstream_cut')];
    this.#ended = true;
    // Some servers finish an answer that calls tools with "stop".
    const finishReason =
      this.#calls.length > 0 && this.#finishReason === 'stop' ? 'tool_calls' : this.#finishReason;
    return [...usage, { type: 'turn-end', finishReason }];
  }

  #fail(code: 'upstream_invalid' | 'upstream_error' | 'upstream_cut'): ChatEvent[] {
    this.#ended = true;
    return [{ type: 'error', error: new AppError(code).toInfo() }];
  }

  #readDelta(delta: JsonObject, logprobs: JsonValue | undefined): ChatEvent[] {
    const events: ChatEvent[] = [];
    const reasoning = text(delta.reasoning_content) || text(delta.reasoning);
    if (reasoning !== '') events.push({ type: 'reasoning-delta', text: reasoning });
    const content = text(delta.content);
    if (content !== '' || isObject(logprobs)) {
      events.push({ type: 'text-delta', text: content, ...(isObject(logprobs) ? { logprobs } : {}) });
    }
    const refusal = text(delta.refusal);
    if (refusal !== '') events.push({ type: 'refusal-delta', text: refusal });
    if (Array.isArray(delta.tool_calls)) events.push(...this.#readCalls(delta.tool_calls));
    const extra = Object.entries(delta).filter(
      ([name, value]) => !knownDeltaFields.has(name) && value != null,
    );
    if (extra.length > 0) events.push({ type: 'extra-delta', fields: Object.fromEntries(extra) });
    return events;
  }

  #readCalls(calls: JsonValue[]): ChatEvent[] {
    const events: ChatEvent[] = [];
    for (const call of calls) {
      if (!isObject(call)) continue;
      const called = isObject(call.function) ? call.function : {};
      const id = text(call.id);
      const name = text(called.name);
      const { index, isNew } = this.#place(call.index, id, name);
      const event: ChatEvent = {
        type: 'tool-call-delta',
        index,
        arguments: argumentsText(called.arguments),
      };
      if (isNew && id !== '') event.id = id;
      if (isNew && name !== '') event.name = name;
      events.push(event);
    }
    return events;
  }

  /**
   * The call that a delta belongs to, by its place in the answer. Some servers leave the index out and
   * others give every call the same one, so a name with an id of its own begins a new call.
   */
  #place(index: JsonValue | undefined, id: string, name: string): { index: number; isNew: boolean } {
    const said = typeof index === 'number' ? index : undefined;
    let found = this.#calls.length - 1;
    if (said !== undefined) {
      found = this.#calls.findLastIndex((call) => call.said === said);
      const other = this.#calls[found];
      if (other && id !== '' && name !== '' && other.id !== '' && other.id !== id) {
        found = this.#calls.findIndex((call) => call.id === id);
      }
    } else if (id !== '') found = this.#calls.findIndex((call) => call.id === id);
    else if (name !== '') found = -1;
    if (found >= 0) return { index: found, isNew: false };
    return { index: this.#calls.push({ said, id }) - 1, isNew: true };
  }
}

/** Unchecked: `withCountedUsage` replaces what cannot be. */
function toUsage(usage: JsonObject): Usage {
  const cached = isObject(usage.prompt_tokens_details)
    ? usage.prompt_tokens_details.cached_tokens
    : undefined;
  const reasoning = isObject(usage.completion_tokens_details)
    ? usage.completion_tokens_details.reasoning_tokens
    : undefined;
  const counted: Usage = {
    inputTokens: tokenCount(usage.prompt_tokens),
    outputTokens: tokenCount(usage.completion_tokens),
    estimated: false,
  };
  if (typeof cached === 'number') counted.cachedInputTokens = tokenCount(cached);
  if (typeof reasoning === 'number') counted.reasoningTokens = tokenCount(reasoning);
  return counted;
}

/** As the upstream says it; NaN for what is no number, since a 0 would be free. Whoever reads it checks it. */
function tokenCount(value: JsonValue | undefined): number {
  return typeof value === 'number' ? value : Number.NaN;
}

/** Ollama and some others send arguments as an object. */
function argumentsText(value: JsonValue | undefined): string {
  return isObject(value) ? JSON.stringify(value) : text(value);
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
