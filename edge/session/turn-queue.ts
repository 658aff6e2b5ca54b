/**
 * The turns of one conversation that wait or run, one at a time and in their order. Owns them while they
 * live; their events are the log's, their messages the context store's.
 */

import { AppError, toAppError } from '../../shared/errors.ts';
import { type Deadline, startDeadline } from '../../shared/stream/deadline.ts';
import type { NumberedTurnEvent } from '../../shared/turn/turn-events.ts';
import { logError } from '../observe/log.ts';
import type { Measurements } from '../observe/measurements.ts';
import type { TurnTimings } from '../observe/turn-timings.ts';
import { LiveTurn } from './live-turn.ts';
import type { SessionMemory } from './session-memory.ts';
import type { AskedModel, SessionTurn, TurnAnswering, TurnBatch } from './turn-answering.ts';
import type { TurnCommand } from './turn-command.ts';
import type { TurnConversations } from './turn-conversations.ts';
import type { TurnLog, TurnRow } from './turn-log.ts';

export interface TurnQueueOptions {
  answering: TurnAnswering;
  conversations: TurnConversations;
  memory: Pick<SessionMemory, 'store' | 'notes' | 'hasArchive'>;
  log: TurnLog;
  measurements: Pick<Measurements, 'observe'>;
  /** Unix time in milliseconds. */
  now: () => number;
  /** Waits until what was written is on disk. */
  sync: () => Promise<void>;
  /** Keeps the object awake for work that continues after a turn. */
  waitUntil: (work: Promise<unknown>) => void;
  /** Called when a turn has been queued. */
  onStart: (turnId: string) => void;
  /** Called when a turn begins to run. */
  onRun: () => Promise<void>;
  /** Called when a turn has ended, with the rounds that its conversation has now; 0 when it belongs to none. */
  onEnd: (command: TurnCommand, rounds: number) => Promise<void>;
}

interface QueuedTurn {
  turn: SessionTurn;
  stop: AbortController;
  deadline: Deadline;
  /** How many rounds the session's conversation has now; 0 when the turn belongs to none. */
  rounds: () => number;
}

interface RunningTurn {
  live: LiveTurn;
  stop: AbortController;
}

/** Turns that may wait for the one before them. */
const MAX_WAITING_TURNS = 8;

export class TurnQueue {
  readonly #options: TurnQueueOptions;
  /** By id, in their order. */
  readonly #running = new Map<string, RunningTurn>();
  /** The end of the last turn in the queue. */
  #end: Promise<void> = Promise.resolve();

  constructor(options: TurnQueueOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#running.size === 0;
  }

  /** The turn that runs. */
  get first(): string | undefined {
    return this.#running.keys().next().value;
  }

  /** The turns that wait or run, in their order. */
  get ids(): string[] {
    return [...this.#running.keys()];
  }

  /** A turn's events from number 0, if it waits or runs. */
  read(turnId: string): AsyncGenerator<{ events: NumberedTurnEvent[] }, void, void> | undefined {
    return this.#running.get(turnId)?.live.read(-1);
  }

  /** @throws AppError `session_busy`, `invalid_value` */
  start(command: TurnCommand, timings: TurnTimings): LiveTurn {
    if (this.#running.size > MAX_WAITING_TURNS) throw new AppError('session_busy', { retryAfterMs: 1000 });
    const { log, now, answering } = this.#options;
    const { turnId } = command;
    const queued = this.#prepare(command, timings);
    log.begin(turnId, JSON.stringify(command), now());
    return this.#enter(queued, new LiveTurn(this.#liveOptions(turnId)), answering.answer(queued.turn));
  }

  /** Resumes a turn that an eviction or a crash cut off. */
  resume(row: TurnRow): void {
    const command: TurnCommand = JSON.parse(row.command);
    const logged = this.#options.log.readAll(row.turnId);
    const live = new LiveTurn(this.#liveOptions(row.turnId), { ...logged, events: [...logged.events] });
    const queued = this.#prepare(command, {});
    const asked: AskedModel | undefined = row.asked === null ? undefined : JSON.parse(row.asked);
    const events = logged.events.map(({ event }) => event);
    const batches = asked
      ? this.#options.answering.resume(queued.turn, asked, { events, modelEvents: logged.modelEvents })
      : failBeforeAsking();
    this.#enter(queued, live, batches);
  }

  /** Stops a turn if it waits or runs. Resolves when it has ended. */
  async stop(turnId: string): Promise<void> {
    const running = this.#running.get(turnId);
    running?.stop.abort();
    await running?.live.ended;
  }

  async stopAll(): Promise<void> {
    for (const { stop } of this.#running.values()) stop.abort();
    await this.#end;
  }

  /** Queues the turn; it runs when the one before it has ended. */
  #enter(queued: QueuedTurn, live: LiveTurn, batches: AsyncGenerator<TurnBatch, void, void>): LiveTurn {
    const { command } = queued.turn;
    const { turnId } = command;
    this.#running.set(turnId, { live, stop: queued.stop });
    const { now, measurements } = this.#options;
    const enteredMs = now();
    const run = async () => {
      measurements.observe('edgewise_turn_wait_seconds', {}, (now() - enteredMs) / 1000);
      await this.#options.onRun();
      await live.run(batches, (error) => refuse(error, command)).finally(() => queued.deadline.clear());
      this.#running.delete(turnId);
      await this.#options.onEnd(command, queued.rounds());
    };
    // Whatever happens to one turn, the next one gets its chance.
    this.#options.onStart(turnId);
    this.#end = this.#end.then(run).catch((error) => void refuse(error, command));
    return live;
  }

  #prepare(command: TurnCommand, timings: TurnTimings): QueuedTurn {
    const { conversations, memory, now, waitUntil } = this.#options;
    const { context, turnId, alone, state } = command;
    const stop = new AbortController();
    const deadline = startDeadline(Math.max(0, context.deadlineMs - now()), stop.signal);
    const { store, notes, hasArchive } = memory;
    const stored = alone
      ? undefined
      : conversations.stored(store, { ...command, notes, isArchived: hasArchive });
    const sealed = state === undefined ? undefined : conversations.sealed({ ...command, state });
    const turn: SessionTurn = {
      command,
      conversation: stored ?? sealed,
      timings,
      signal: deadline.signal,
      stop: stop.signal,
      onAsk: (asked) => this.#noteAsk(turnId, asked),
      waitUntil,
    };
    return { turn, stop, deadline, rounds: () => stored?.rounds ?? 0 };
  }

  /** A generation of the core is resumed after a crash, so the turn is on disk before it starts. */
  async #noteAsk(turnId: string, asked: AskedModel): Promise<void> {
    const { log, sync } = this.#options;
    log.ask(turnId, JSON.stringify(asked));
    if (asked.choice.route.place === 'core') await sync();
  }

  #liveOptions(turnId: string) {
    const { log, sync, now } = this.#options;
    return { turnId, log, sync, now };
  }
}

function refuse(thrown: unknown, { context, turnId }: TurnCommand): AppError {
  const error = toAppError(thrown);
  logError({ requestId: context.requestId, turnId, error });
  return error;
}

/** A turn that was cut off while it waited or loaded: no model was asked, so nothing is lost but the turn. */
// biome-ignore lint/correctness/useYield: it only throws
async function* failBeforeAsking(): AsyncGenerator<TurnBatch, void, void> {
  throw new AppError('generation_lost', { retryable: true });
}
