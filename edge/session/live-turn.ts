/**
 * A turn that runs in this object: takes its batches, logs them, and wakes whoever reads. Log writes are
 * coalesced: the first word goes in at once, what comes before and after it after {@link FLUSH_MS} or {@link FLUSH_EVENTS}.
 */
import type { AppError } from '../../shared/errors.ts';
import {
  type NumberedTurnEvent,
  noUsage,
  saysSomething,
  type TurnStatus,
} from '../../shared/turn/turn-events.ts';
import type { TurnBatch } from './turn-answering.ts';
import type { LoggedEvents, TurnLog } from './turn-log.ts';

/** Longest time that an event waits for others to be written with, in milliseconds. */
const FLUSH_MS = 20;
const FLUSH_EVENTS = 64;
/**
 * A disk that is slow is not asked more often than it can: a write waits so many times as long as the last one took,
 * and at most {@link LONGEST_WAIT_MS}. Objects share a disk, and each write is a sync of its own.
 */
const WAIT_PER_SYNC = 8;
const LONGEST_WAIT_MS = 400;

export interface LiveTurnOptions {
  turnId: string;
  log: TurnLog;
  /** Waits until what was logged is on disk. */
  sync: () => Promise<void>;
  /** Unix time in milliseconds. */
  now: () => number;
}

export class LiveTurn {
  readonly turnId: string;
  readonly #options: LiveTurnOptions;
  /** Logged and readable; kept while the turn is live, so that readers need no query. */
  readonly #events: NumberedTurnEvent[];
  #pending: NumberedTurnEvent[] = [];
  #modelEvents: number;
  readonly #ending = Promise.withResolvers<TurnStatus>();
  #lastFlushMs = 0;
  /** How long the last write took. */
  #syncMs = 0;
  #hasSpoken = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #writes: Promise<void> = Promise.resolve();
  #wake = Promise.withResolvers<void>();
  #ended = false;

  /** @param logged What is in the log already, when the turn goes on after a restart. */
  constructor(options: LiveTurnOptions, logged: LoggedEvents = { events: [], modelEvents: 0 }) {
    this.#options = options;
    this.turnId = options.turnId;
    this.#events = logged.events;
    this.#modelEvents = logged.modelEvents;
  }

  /** Resolves when the turn has ended and its end is logged. */
  get ended(): Promise<TurnStatus> {
    return this.#ending.promise;
  }

  /** Runs the turn to its end. Whatever is thrown becomes the turn's last event, unless it has ended already. */
  async run(
    batches: AsyncGenerator<TurnBatch, void, void>,
    onFailure: (error: unknown) => AppError,
  ): Promise<void> {
    let status: TurnStatus | undefined;
    try {
      for await (const { events, modelEvents } of batches) {
        this.#modelEvents = modelEvents;
        this.#pending.push(...events);
        const last = events.at(-1)?.event;
        if (last?.type === 'turn-end') status = last.status;
        const isFirstWord = !this.#hasSpoken && events.some(({ event }) => saysSomething(event));
        this.#hasSpoken ||= isFirstWord;
        if (status || isFirstWord || this.#pending.length >= FLUSH_EVENTS) await this.#flush();
        else this.#flushSoon();
      }
    } catch (error) {
      const failure = onFailure(error);
      if (!status) this.#fail(failure);
    }
    await this.#end(status ?? 'failed');
  }

  /** The events after number `after`, as they come, to the turn's end. */
  async *read(after: number): AsyncGenerator<{ events: NumberedTurnEvent[] }, void, void> {
    let next = after + 1;
    for (;;) {
      if (next < this.#events.length) {
        const events = this.#events.slice(next);
        next = this.#events.length;
        yield { events };
      } else if (this.#ended) {
        return;
      } else {
        await this.#wake.promise;
      }
    }
  }

  #fail(error: AppError): void {
    const seq = this.#events.length + this.#pending.length;
    this.#pending.push({
      seq,
      event: { type: 'turn-end', status: 'failed', usage: noUsage, error: error.toInfo() },
    });
  }

  async #end(status: TurnStatus): Promise<void> {
    const { log, turnId, now } = this.#options;
    await this.#flush();
    log.end(turnId, status, now());
    this.#ended = true;
    this.#wakeReaders();
    this.#ending.resolve(status);
  }

  #flushSoon(): void {
    if (this.#timer !== null) return;
    const beganMs = this.#hasSpoken ? this.#lastFlushMs : this.#options.now();
    const intervalMs = Math.min(LONGEST_WAIT_MS, Math.max(FLUSH_MS, WAIT_PER_SYNC * this.#syncMs));
    const waitMs = Math.max(0, beganMs + intervalMs - this.#options.now());
    // A failed write stays in `#writes`, where the turn's end meets it.
    this.#timer = setTimeout(() => void this.#flush().catch(() => undefined), waitMs);
  }

  /** Writes what is pending, after the writes before it. */
  #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#writes = this.#writes.then(() => this.#write());
    return this.#writes;
  }

  async #write(): Promise<void> {
    if (this.#pending.length === 0) return;
    const { log, turnId, sync, now } = this.#options;
    const events = this.#pending;
    this.#pending = [];
    this.#lastFlushMs = now();
    log.append(turnId, { events, modelEvents: this.#modelEvents });
    await sync();
    this.#syncMs = now() - this.#lastFlushMs;
    this.#events.push(...events);
    this.#wakeReaders();
  }

  #wakeReaders(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}
