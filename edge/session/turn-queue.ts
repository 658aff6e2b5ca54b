/**
 * The turns of one conversation that wait or run, one at a time and in their order. Owns them while they
 * live; their events are the log's, their messages the context store's.
 */

import { AppError, toAppError } from '../../shared/errors.ts';
import { type Deadline, startDeadline } from '../../shared/stream/deadline.ts';
import type { NumberedTurnEvent } from '../../shared/turn/turn-events.ts';
import { parseCacheControl } from '../cache/cache-control.ts';
import {
  type AskedModel,
  answerTurn,
  resumeTurn,
  type TurnBatch,
  type TurnConversation,
  type TurnPlan,
} from '../chat/answer-turn.ts';
import type { TurnTimings } from '../chat/turn-timings.ts';
import { logError } from '../observe/log.ts';
import type { EdgeServices } from '../services.ts';
import type { Conversation } from './conversation.ts';
import { conversationOfTurn } from './conversation-of-turn.ts';
import { LiveTurn } from './live-turn.ts';
import type { SessionMemory } from './session-memory.ts';
import type { TurnCommand } from './turn-command.ts';
import type { TurnLog, TurnRow } from './turn-log.ts';

export interface TurnQueueOptions {
  services: EdgeServices;
  memory: Pick<SessionMemory, 'store' | 'notes'>;
  log: TurnLog;
  /** The conversation of a turn whose client keeps it. */
  sealed: (command: TurnCommand) => TurnConversation | undefined;
  /** Waits until what was written is on disk. */
  sync: () => Promise<void>;
  /** Keeps the object awake for work that goes on after a turn. */
  waitUntil: (work: Promise<unknown>) => void;
  /** Told when a turn has got in line. */
  onStart: (turnId: string) => void;
  /** Told when a turn begins to run. */
  onRun: () => Promise<void>;
  /** Told when a turn has ended, with the rounds that its conversation has now; 0 when it belongs to none. */
  onEnd: (command: TurnCommand, rounds: number) => Promise<void>;
}

interface PlannedTurn {
  turn: TurnPlan;
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
  /** The end of the last turn in line. */
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
    const { log, services } = this.#options;
    const { turnId } = command;
    const plan = this.#plan(command, timings);
    log.begin(turnId, JSON.stringify(command), services.now());
    return this.#enter(command, plan, new LiveTurn(this.#liveOptions(turnId)), answerTurn(plan.turn));
  }

  /** Takes up a turn that an eviction or a crash cut off. */
  resume(row: TurnRow): void {
    const command: TurnCommand = JSON.parse(row.command);
    const logged = this.#options.log.readAll(row.turnId);
    const live = new LiveTurn(this.#liveOptions(row.turnId), { ...logged, events: [...logged.events] });
    const plan = this.#plan(command, {});
    const asked: AskedModel | undefined = row.asked === null ? undefined : JSON.parse(row.asked);
    const events = logged.events.map(({ event }) => event);
    const batches = asked
      ? resumeTurn(plan.turn, asked, { events, modelEvents: logged.modelEvents })
      : failBeforeAsking();
    this.#enter(command, plan, live, batches);
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

  /** Puts the turn in line; it runs when the one before it has ended. */
  #enter(
    command: TurnCommand,
    plan: PlannedTurn,
    live: LiveTurn,
    batches: AsyncGenerator<TurnBatch, void, void>,
  ): LiveTurn {
    const { turnId } = command;
    this.#running.set(turnId, { live, stop: plan.stop });
    const { now, observer } = this.#options.services;
    const enteredMs = now();
    const run = async () => {
      observer.measurements.observe('edgewise_turn_wait_seconds', {}, (now() - enteredMs) / 1000);
      await this.#options.onRun();
      await live.run(batches, (error) => refuse(error, command)).finally(() => plan.deadline.clear());
      this.#running.delete(turnId);
      await this.#options.onEnd(command, plan.rounds());
    };
    // Whatever happens to one turn, the next one gets its chance.
    this.#options.onStart(turnId);
    this.#end = this.#end.then(run).catch((error) => void refuse(error, command));
    return live;
  }

  #plan(command: TurnCommand, timings: TurnTimings): PlannedTurn {
    const { context, turnId, request } = command;
    const { now, cache, pluginsFor, sessionModelsFor, observer } = this.#options.services;
    const stop = new AbortController();
    const deadline = startDeadline(Math.max(0, context.deadlineMs - now()), stop.signal);
    const stored = this.#stored(command);
    const conversation = stored ?? this.#options.sealed(command);
    const turn: TurnPlan = {
      turnId,
      request,
      ...(conversation && { conversation }),
      models: sessionModelsFor(context, turnId, command.background),
      plugins: pluginsFor(context),
      withCache: cache?.ofTurn({
        context,
        control: parseCacheControl(command.cacheControl),
        isAgain: command.branch?.kind === 'again',
        canShare: false,
        waitUntil: this.#options.waitUntil,
      }),
      timings,
      signal: deadline.signal,
      stop: stop.signal,
      now,
      onAsk: (asked) => this.#noteAsk(turnId, asked),
      onEnd: (facts) => observer.turnEnded(context, facts),
    };
    return { turn, stop, deadline, rounds: () => stored?.rounds ?? 0 };
  }

  /** A generation of the core's is taken up again after a crash, so the turn is on disk before there is one. */
  async #noteAsk(turnId: string, asked: AskedModel): Promise<void> {
    const { log, sync } = this.#options;
    log.ask(turnId, JSON.stringify(asked));
    if (asked.choice.route.place === 'core') await sync();
  }

  #stored(command: TurnCommand): Conversation | undefined {
    const { services, memory } = this.#options;
    if (command.alone) return undefined;
    const { store, notes } = memory;
    const isArchived = services.archive !== undefined;
    return conversationOfTurn(services, store, { ...command, notes, isArchived });
  }

  #liveOptions(turnId: string) {
    const { log, sync, services } = this.#options;
    return { turnId, log, sync, now: services.now };
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
