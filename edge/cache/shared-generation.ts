/**
 * One answer in the making that several readers share: each gets the beginning and then the live rest. Owns
 * the call and its events while it runs; the call ends when its last reader leaves.
 */
import {
  type CacheMark,
  type ChatEvent,
  type ChatStream,
  isTerminal,
} from '../../shared/model/chat-model.ts';
import { startDeadline } from '../../shared/stream/deadline.ts';

export interface SharedGenerationOptions {
  open: (signal: AbortSignal) => ChatStream;
  /** Told every event, once. */
  onEvent: (event: ChatEvent) => void;
  /** Ends the call after so many milliseconds, whoever reads. */
  timeoutMs: number;
}

export class SharedGeneration {
  readonly #options: SharedGenerationOptions;
  readonly #abort = new AbortController();
  readonly #events: ChatEvent[] = [];
  #readers = 0;
  #wake = Promise.withResolvers<void>();
  /** Resolves when the last event is in. */
  readonly ended: Promise<void>;

  constructor(options: SharedGenerationOptions) {
    this.#options = options;
    this.ended = this.#run();
  }

  /** The events from the first one on. `mark` says what this reader is told of the cache. */
  read(mark: CacheMark): ReadableStream<ChatEvent> {
    let next = 0;
    let reads = true;
    this.#readers++;
    const leave = () => {
      if (!reads) return;
      reads = false;
      if (--this.#readers === 0) this.#abort.abort();
    };
    return new ReadableStream<ChatEvent>(
      {
        pull: async (controller) => {
          while (next === this.#events.length) await this.#wake.promise;
          const event = this.#events[next++] as ChatEvent;
          controller.enqueue(event.type === 'model-start' ? started(event, mark) : event);
          if (!isTerminal(event)) return;
          controller.close();
          leave();
        },
        cancel: leave,
      },
      { highWaterMark: 0 },
    );
  }

  /** Keeps the call going without a reader. */
  hold(): void {
    this.#readers++;
  }

  async #run(): Promise<void> {
    const { signal, clear } = startDeadline(this.#options.timeoutMs, this.#abort.signal);
    try {
      // Somebody else may have asked only because the first one had: their answer is worth a second call.
      if (!(await this.#attempt(signal, false))) await this.#attempt(signal, true);
    } finally {
      clear();
    }
  }

  /** @returns false when it failed before it said anything, and may be tried once more for others' sake */
  async #attempt(signal: AbortSignal, isLast: boolean): Promise<boolean> {
    const { open } = this.#options;
    let saidSomething = false;
    for await (const event of open(signal)) {
      const isFailure = event.type === 'error' && event.error.retryable;
      if (isFailure && !isLast && !saidSomething && this.#readers > 1) return false;
      saidSomething ||= event.type !== 'model-start';
      if (event.type === 'model-start' && this.#events.length > 0) continue;
      this.#options.onEvent(event);
      this.#events.push(event);
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    }
    return true;
  }
}

/** Limits are those of whoever asked first, and nobody else's business. */
function started(event: Extract<ChatEvent, { type: 'model-start' }>, cache: CacheMark): ChatEvent {
  const { limits, ...start } = event;
  return { ...start, cache, ...(limits && cache.outcome === 'miss' && { limits }) };
}
