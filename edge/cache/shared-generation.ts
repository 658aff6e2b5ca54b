/**
 * One model call that several readers share: each gets all events from the first one on, then the live ones. Owns the call
 * and its events while it runs; the call ends when its last reader leaves.
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
  /** Receives every event once. */
  onEvent: (event: ChatEvent) => void;
  /** Time after which the call ends, even with readers. */
  timeoutMs: number;
}

export class SharedGeneration {
  readonly #options: SharedGenerationOptions;
  readonly #abort = new AbortController();
  readonly #events: ChatEvent[] = [];
  #readers = 0;
  #wake = Promise.withResolvers<void>();
  /** Resolves after the last event. */
  readonly ended: Promise<void>;

  constructor(options: SharedGenerationOptions) {
    this.#options = options;
    this.ended = this.#run();
  }

  /** The events from the first one on. @param mark what the response of this reader reports about the cache */
  read(mark: CacheMark): ReadableStream<ChatEvent> {
    let next = 0;
    let isReading = true;
    this.#readers++;
    const leave = () => {
      if (!isReading) return;
      isReading = false;
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
      // Readers who joined a call that then failed deserve a call of their own.
      if (!(await this.#attempt(signal, false))) await this.#attempt(signal, true);
    } finally {
      clear();
    }
  }

  /** @returns false when the call failed before any output and other readers justify a second one */
  async #attempt(signal: AbortSignal, isLast: boolean): Promise<boolean> {
    const { open } = this.#options;
    let hasOutput = false;
    for await (const event of open(signal)) {
      const isFailure = event.type === 'error' && event.error.retryable;
      if (isFailure && !isLast && !hasOutput && this.#readers > 1) return false;
      hasOutput ||= event.type !== 'model-start';
      if (event.type === 'model-start' && this.#events.length > 0) continue;
      this.#options.onEvent(event);
      this.#events.push(event);
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    }
    return true;
  }
}

/** The limits belong to the first caller; no other reader may see them. */
function started(event: Extract<ChatEvent, { type: 'model-start' }>, cache: CacheMark): ChatEvent {
  const { limits, ...start } = event;
  return { ...start, cache, ...(limits && cache.outcome === 'miss' && { limits }) };
}
