import { type ChatEvent, type ChatStream, type ChatStreamReader, isTerminal } from './chat-model.ts';
import { AppError } from './errors.ts';

/**
 * A generator of events as a model's stream: pulled one event at a time, closed after the terminal one,
 * and never errored. Cancelling the stream aborts the signal that the generator is given; a generator that
 * ends or throws without a terminal event is our own fault and ends the stream as `internal_error`.
 *
 * It is no platform stream: those cost a Worker tens of microseconds an event, and a turn has many layers.
 */
export function eventStream(
  outer: AbortSignal,
  generate: (signal: AbortSignal) => AsyncGenerator<ChatEvent, void, void>,
): ChatStream {
  return new GeneratedEvents(outer, generate);
}

type Step = { done: false; value: ChatEvent } | { done: true; value: undefined };
const over: Step = { done: true, value: undefined };

class GeneratedEvents implements ChatStream, ChatStreamReader, AsyncIterator<ChatEvent, undefined> {
  readonly #reading = new AbortController();
  readonly #events: AsyncGenerator<ChatEvent, void, void>;
  #isOver = false;
  /** Whoever waits for the next event. */
  #waiting: ((step: Step) => void) | undefined;

  constructor(outer: AbortSignal, generate: (signal: AbortSignal) => AsyncGenerator<ChatEvent, void, void>) {
    this.#events = generate(AbortSignal.any([outer, this.#reading.signal]));
  }

  getReader(): ChatStreamReader {
    return this;
  }

  [Symbol.asyncIterator](): AsyncIterator<ChatEvent, undefined> {
    return this;
  }

  next(): Promise<Step> {
    return this.read();
  }

  async return(): Promise<Step> {
    this.#leave();
    return over;
  }

  async cancel(): Promise<void> {
    this.#leave();
  }

  read(): Promise<Step> {
    if (this.#isOver) return Promise.resolve(over);
    const { promise, resolve } = Promise.withResolvers<Step>();
    this.#waiting = resolve;
    this.#events.next().then(
      ({ value }) => this.#tell(value ?? failure(new AppError('internal_error')), resolve),
      (cause: unknown) => this.#tell(failure(new AppError('internal_error', { cause })), resolve),
    );
    return promise;
  }

  #tell(event: ChatEvent, resolve: (step: Step) => void): void {
    // Cancelled meanwhile: nobody reads it any more.
    if (this.#isOver) return;
    this.#waiting = undefined;
    resolve({ done: false, value: event });
    if (isTerminal(event)) this.#leave();
  }

  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#waiting?.(over);
    this.#reading.abort();
    // It tidies up when it can: one that waits is woken by the abort, and nobody waits for it here.
    void this.#events.return().catch(() => undefined);
  }
}

function failure(error: AppError): ChatEvent {
  return { type: 'error', error: error.toInfo() };
}
