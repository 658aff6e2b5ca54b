/** A complete answer as data: recorded from a model's events, and replayed as events. */
import type { CacheMark, ChatEvent, JsonObject, JsonValue, Usage } from '../../shared/model/chat-model.ts';

type ContentEvent =
  | { type: 'text-delta'; text: string; logprobs?: JsonValue }
  | { type: 'reasoning-delta'; text: string }
  | { type: 'extra-delta'; fields: JsonObject };

export interface CachedAnswer {
  /** The model that answered. */
  model: string;
  provider: string;
  /** Text and its annotations in order; adjacent pieces of one kind are joined. */
  said: ContentEvent[];
  usage?: Usage;
}

export function answerText({ said }: CachedAnswer): string {
  return said.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');
}

/** Longest answer that is kept, in characters. */
const MAX_ANSWER_CHARS = 256 * 1024;

/** Records one answer. Only one that ends normally and consists of text alone is kept. */
export class AnswerRecorder {
  #start: Extract<ChatEvent, { type: 'model-start' }> | undefined;
  readonly #content: ContentEvent[] = [];
  #chars = 0;
  #usage: Usage | undefined;
  #isWhole = false;
  #isSpoiled = false;

  push(event: ChatEvent): void {
    switch (event.type) {
      case 'model-start':
        this.#start = event;
        // An answer of a fallback model is not kept.
        this.#isSpoiled ||= event.fallback !== undefined;
        return;
      case 'text-delta':
      case 'reasoning-delta':
        this.#chars += event.text.length;
        this.#append(event);
        return;
      case 'extra-delta':
        this.#content.push(event);
        this.#isSpoiled ||= event.fields.edgewise !== undefined;
        return;
      case 'usage':
        this.#usage = event.usage;
        return;
      case 'turn-end':
        this.#isWhole = event.finishReason === 'stop';
        return;
      case 'refusal-delta':
      case 'tool-call-delta':
      case 'error':
        this.#isSpoiled = true;
    }
  }

  /** The answer, when it is complete, text alone, not empty and not too long. */
  get answer(): CachedAnswer | undefined {
    const start = this.#start;
    if (!start || !this.#isWhole || this.#isSpoiled) return undefined;
    if (this.#chars === 0 || this.#chars > MAX_ANSWER_CHARS) return undefined;
    return {
      model: start.model,
      provider: start.provider,
      said: this.#content,
      ...(this.#usage && { usage: this.#usage }),
    };
  }

  #append(event: Extract<ContentEvent, { text: string }>): void {
    // An answer that is too long is not kept, so it takes no memory.
    if (this.#chars > MAX_ANSWER_CHARS) return;
    const last = this.#content.at(-1);
    const joins = last?.type === event.type && !('logprobs' in last) && !('logprobs' in event);
    if (joins) last.text += event.text;
    else this.#content.push({ ...event });
  }
}

export interface ReplayPace {
  /** 0: all at once. */
  charsPerSecond: number;
  wait: (ms: number) => Promise<void>;
}

/** Characters of one piece of a paced replay. */
const PIECE_CHARS = 24;

/** The answer as a model's events: piece by piece at the given pace, or all at once. */
export async function* replayAnswer(
  { model, provider, said, usage }: CachedAnswer,
  cache: CacheMark,
  { charsPerSecond, wait }: ReplayPace,
): AsyncGenerator<ChatEvent[], void, void> {
  const start: ChatEvent = { type: 'model-start', model, provider, cache };
  const end: ChatEvent[] = [{ type: 'turn-end', finishReason: 'stop' }];
  if (usage) end.unshift({ type: 'usage', usage });
  if (charsPerSecond === 0) return yield [start, ...said, ...end];
  yield [start];
  for (const event of said) {
    if (event.type !== 'text-delta') {
      yield [event];
      continue;
    }
    for (const text of piecesOf(event.text)) {
      yield [{ ...event, text }];
      await wait((text.length * 1000) / charsPerSecond);
    }
  }
  yield end;
}

/** Pieces of whole characters: a surrogate pair is never split. */
function piecesOf(text: string): string[] {
  return text.match(new RegExp(`[\\s\\S]{1,${PIECE_CHARS}}`, 'gu')) ?? [];
}
