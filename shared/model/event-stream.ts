/**
 * Model's streams made of generators. They are no platform streams: those cost a Worker tens of microseconds an
 * event, and a turn has many layers. Events that came together stay together: a layer that reads batches does its
 * work for all of them at once.
 */

import { AppError } from '../errors.ts';
import { linkedAbortController } from '../stream/linked-abort-controller.ts';
import { type ChatEvent, type ChatStream, type ChatStreamReader, isTerminal } from './chat-model.ts';

/** A generator may give events one by one, or several that came together. */
export type EventGenerator = AsyncGenerator<ChatEvent | ChatEvent[], void, void>;

/** A layer gives events as it reads them: those together that came together. */
export type LayerGenerator = AsyncGenerator<ChatEvent[], void, void>;

/** Reads another stream from within a generator; cancelling the outer stream cancels the inner one. */
export type ReadInner = (stream: ChatStream) => InnerBatches;

export interface InnerBatches extends AsyncIterable<ChatEvent[]> {
  next(): Promise<Step<ChatEvent[]>>;
  /** Ends the stream; a pending `next()` resolves as done. */
  return(): Promise<Step<ChatEvent[]>>;
}

/**
 * A generator of events as a model's stream: pulled one step at a time, closed after the terminal event,
 * and never errored. Cancelling the stream aborts the signal that the generator is given; a generator that
 * ends or throws without a terminal event is our own fault and ends the stream as `internal_error`.
 */
export function eventStream(
  outer: AbortSignal,
  generate: (signal: AbortSignal) => EventGenerator,
): ChatStream {
  const reading = linkedAbortController(outer);
  return new GeneratedEvents(generate(reading.signal), {
    onLeave: () => reading.abort(),
    onEnd: () => reading.unfollow(),
  });
}

/**
 * As {@link eventStream}, for a layer: a generator around other streams. `layer(model, fn)` in `shared/model/layer.ts`
 * is the way to write one. A layer that reads another layer reads its generator directly: what one throws goes through
 * those around it, and leaving goes to the innermost; only the outermost keeps what a model's stream promises.
 * @param onLeave Called once, when the reader leaves or the stream has ended
 */
export function relayStream(generate: (read: ReadInner) => LayerGenerator, onLeave?: () => void): ChatStream {
  let inner: InnerBatches | undefined;
  let isLeft = false;
  const read: ReadInner = (stream) => {
    inner = layerBatches(stream);
    if (isLeft) void inner.return();
    return inner;
  };
  const events = generate(read);
  const leaveInner = () => {
    if (isLeft) return;
    isLeft = true;
    onLeave?.();
    void inner?.return();
  };
  const next = () => events.next() as Promise<Step<ChatEvent[]>>;
  // A reader that is a layer leaves here; it may do so again when it ends.
  const leave = () => {
    if (isLeft) return;
    leaveInner();
    void events.return().catch(() => undefined);
  };
  return new GeneratedEvents(
    events,
    { onLeave: leaveInner, onEnd: leaveInner },
    new EventBatches(next, leave),
  );
}

function layerBatches(stream: ChatStream): InnerBatches {
  return stream instanceof GeneratedEvents && stream.layer ? stream.layer : eventBatches(stream);
}

/** The events of a stream, those together that came together. */
export function eventBatches(stream: ChatStream): InnerBatches {
  return stream instanceof GeneratedEvents ? stream.batches : new SingleEvents(stream.getReader());
}

type Step<Value> = { done: false; value: Value } | { done: true; value: undefined };
const over = { done: true, value: undefined } as const;

interface Ways {
  /** The reader leaves before the end. */
  onLeave: () => void;
  /** It is over, one way or the other. */
  onEnd?: () => void;
}

class GeneratedEvents implements ChatStream, ChatStreamReader, AsyncIterator<ChatEvent, undefined> {
  readonly #events: EventGenerator;
  readonly #ways: Ways;
  /** How a layer around this one reads it, where it is one. */
  readonly layer: EventBatches | undefined;
  #isOver = false;
  /** Whoever waits for the next events. */
  #waiting: ((step: Step<ChatEvent[]>) => void) | undefined;
  /** Events that came together with the one that was read last. */
  #ready: ChatEvent[] = [];
  #batches: EventBatches | undefined;

  constructor(events: EventGenerator, ways: Ways, layer?: EventBatches) {
    this.#events = events;
    this.#ways = ways;
    this.layer = layer;
  }

  /** How a reader that is no layer reads it. */
  get batches(): EventBatches {
    this.#batches ??= new EventBatches(
      () => this.#readBatch(),
      () => this.#leave(),
    );
    return this.#batches;
  }

  getReader(): ChatStreamReader {
    return this;
  }

  [Symbol.asyncIterator](): AsyncIterator<ChatEvent, undefined> {
    return this;
  }

  next(): Promise<Step<ChatEvent>> {
    return this.read();
  }

  async return(): Promise<Step<ChatEvent>> {
    this.#leave();
    return over;
  }

  async cancel(): Promise<void> {
    this.#ready = [];
    this.#leave();
  }

  async read(): Promise<Step<ChatEvent>> {
    if (this.#ready.length === 0) {
      const { done, value } = await this.#readBatch();
      if (done) return over;
      this.#ready = value;
    }
    const [value, ...rest] = this.#ready;
    this.#ready = rest;
    return value ? { done: false, value } : over;
  }

  #readBatch(): Promise<Step<ChatEvent[]>> {
    if (this.#ready.length > 0) {
      const value = this.#ready;
      this.#ready = [];
      return Promise.resolve({ done: false, value });
    }
    if (this.#isOver) return Promise.resolve(over);
    const { promise, resolve } = Promise.withResolvers<Step<ChatEvent[]>>();
    this.#waiting = resolve;
    this.#events.next().then(
      ({ value }) => this.#deliver(value ?? failure(new AppError('internal_error'))),
      (cause: unknown) => this.#deliver(failure(new AppError('internal_error', { cause }))),
    );
    return promise;
  }

  #deliver(given: ChatEvent | ChatEvent[]): void {
    // Cancelled meanwhile: nobody reads it any more.
    if (this.#isOver) return;
    const events = Array.isArray(given) ? given : [given];
    const resolve = this.#waiting;
    this.#waiting = undefined;
    resolve?.({ done: false, value: events });
    const last = events.at(-1);
    if (last && isTerminal(last)) this.#end();
  }

  #leave(): void {
    if (this.#isOver) return;
    this.#waiting?.(over);
    this.#ways.onLeave();
    this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.#ways.onEnd?.();
    // It tidies up when it can: one that waits is woken by the abort, and nobody waits for it here.
    void this.#events.return().catch(() => undefined);
  }
}

class EventBatches implements AsyncIterator<ChatEvent[], undefined> {
  readonly next: () => Promise<Step<ChatEvent[]>>;
  readonly #leave: () => void;

  constructor(next: () => Promise<Step<ChatEvent[]>>, leave: () => void) {
    this.next = next;
    this.#leave = leave;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async return(): Promise<Step<ChatEvent[]>> {
    this.#leave();
    return over;
  }
}

/** The events of any async iterable, one by one. */
class SingleEvents implements AsyncIterator<ChatEvent[], undefined> {
  readonly #reader: ChatStreamReader;

  constructor(reader: ChatStreamReader) {
    this.#reader = reader;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<Step<ChatEvent[]>> {
    const { done, value } = await this.#reader.read();
    return done ? over : { done, value: [value] };
  }

  async return(): Promise<Step<ChatEvent[]>> {
    await this.#reader.cancel();
    return over;
  }
}

function failure(error: AppError): ChatEvent {
  return { type: 'error', error: error.toInfo() };
}
