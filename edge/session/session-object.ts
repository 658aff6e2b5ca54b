/**
 * One conversation of one user. Owns its turns: their order (one at a time), their events, their readers.
 * Leaves the messages to the context store and the way of a prompt to `chat/answer-turn.ts`.
 */
import { DurableObject } from 'cloudflare:workers';
import type { ChatMessage, ChatRequest, Usage } from '../../shared/chat-model.ts';
import { AppError, type ErrorInfo, toAppError } from '../../shared/errors.ts';
import type { RequestContext } from '../../shared/request-context.ts';
import { type NumberedTurnEvent, noUsage } from '../../shared/turn-events.ts';
import { emptyTurnResult, foldTurnEvent, type TurnResult, turnText } from '../../shared/turn-result.ts';
import {
  type AskedModel,
  answerTurn,
  resumeTurn,
  type TurnBatch,
  type TurnPlan,
} from '../chat/answer-turn.ts';
import { toTurnResponse } from '../chat/turn-response.ts';
import type { TurnTimings } from '../chat/turn-timings.ts';
import type { EdgeBindings } from '../env.ts';
import { logError } from '../observe/log.ts';
import { type EdgeServices, edgeServices } from '../services.ts';
import { createWire, type WireRequest } from '../wire/create-wire.ts';
import type { ContextStore, ConversationKey, StoredMessage } from './context-store.ts';
import { Conversation, type TurnBranch } from './conversation.ts';
import { directoryOf } from './directory-object.ts';
import { LiveTurn } from './live-turn.ts';
import { createSqliteContextStore } from './sqlite-context-store.ts';
import { createTurnLog, type TurnLog, type TurnRow } from './turn-log.ts';
import { createUpstashContextStore } from './upstash-context-store.ts';

/** What starts a turn. Kept with the turn, so that it can go on after a restart. */
export interface TurnCommand {
  context: RequestContext;
  sessionId: string;
  turnId: string;
  /** Unix time in seconds. */
  createdAt: number;
  request: ChatRequest;
  /** Where the turn goes on; after the newest message without it. */
  branch?: TurnBranch | undefined;
  /** Whether the request's system messages hold for this turn alone. */
  ownSystem?: boolean | undefined;
  /** The turn belongs to no conversation; it is here for the sake of its idempotency key. */
  alone?: boolean | undefined;
  /** A second turn with the same key is the first one, read again. */
  idempotency?: { key: string; bodyHash: string } | undefined;
  /** Whether the answer to the client is that the turn has begun, and no more. */
  background?: boolean | undefined;
  /** How the client that started the turn reads it; whoever attaches later reads the same bytes. */
  wire: WireRequest;
}

/** Errors keep their class only inside one isolate, so across objects they travel as data. */
export type Reply<T> = { ok: true; value: T } | { ok: false; error: ErrorInfo };

export interface HistoryPage {
  /** How many messages the conversation has. */
  version: number;
  messages: StoredMessage[];
  /** Position of the first of `messages`, from 1. */
  first: number;
}

/** How a stop ended. `finished`: the turn had come to its own end before. */
export interface StopOutcome {
  turnId: string;
  status: 'cancelled' | 'finished';
  /** What was said until then. */
  text: string;
  usage: Usage;
}

/** A place in a turn's events. */
export interface TurnCursor {
  /** The running turn without it. */
  turnId: string | undefined;
  /** The number of the last event that the client has; -1 for none. */
  after: number;
  /** The wire of this reader; that on which the turn was asked without it. */
  wire?: WireRequest;
}

interface RunningTurn {
  live: LiveTurn;
  stop: AbortController;
}

/** Turns that may wait for the one before them. */
const MAX_WAITING_TURNS = 8;
/** How often a running turn makes sure that it is still remembered, should the object be evicted. */
const WATCH_MS = 30_000;

export class SessionObject extends DurableObject<EdgeBindings> {
  readonly #services: EdgeServices;
  readonly #store: ContextStore;
  readonly #log: TurnLog;
  /** Turns in line or running, by id, in their order. */
  readonly #running = new Map<string, RunningTurn>();
  /** The end of the last turn in line. */
  #line: Promise<void> = Promise.resolve();

  constructor(state: DurableObjectState, bindings: EdgeBindings) {
    super(state, bindings);
    this.#services = edgeServices(bindings);
    const { redis, sessionTtlMs } = this.#services.config;
    this.#store = redis
      ? createUpstashContextStore({ ...redis, ttlMs: sessionTtlMs })
      : createSqliteContextStore(state.storage);
    this.#log = createTurnLog(state.storage);
    // Turns that an eviction or a crash cut off go on before anything else happens here.
    for (const row of this.#log.unfinished()) this.#resume(row);
  }

  /** Starts a turn and answers with its first reader's response. The turn runs on when that reader leaves. */
  async startTurn(command: TurnCommand): Promise<Reply<Response>> {
    return reply(async () => {
      if (this.#running.size > MAX_WAITING_TURNS) throw new AppError('session_busy', { retryAfterMs: 1000 });
      const timings: TurnTimings = {};
      const first = this.#firstOfKey(command);
      if (first) return this.#answer(first, this.#read(first.turnId), {});
      const plan = this.#plan(command, timings);
      this.#log.begin(command.turnId, JSON.stringify(command), this.#services.now());
      const live = this.#enter(
        command,
        plan,
        new LiveTurn(this.#liveOptions(command.turnId)),
        answerTurn(plan.turn),
      );
      return this.#answer(command, live.read(-1), timings);
    });
  }

  /** A turn's events after a cursor, and then the live rest. `undefined` when no turn is named and none is running. */
  async attach(cursor: TurnCursor): Promise<Reply<Response | undefined>> {
    return reply(async () => {
      const id = cursor.turnId ?? [...this.#running.keys()].at(0);
      if (id === undefined) return undefined;
      const command = this.#commandOf(id);
      const wire = { ...wireFor(command, cursor.wire), stream: true };
      return this.#respond(this.#read(id), { ...command, wire }, cursor.after, {});
    });
  }

  /** A turn as far as it has come, in one piece. */
  async describe(turnId: string, wire: WireRequest): Promise<Reply<Response>> {
    return reply(async () => this.#describe(turnId, wire));
  }

  /** The messages that a turn was asked with. */
  async question(turnId: string): Promise<Reply<ChatMessage[]>> {
    return reply(async () => this.#commandOf(turnId).request.messages);
  }

  /** Stops a turn if it runs, and forgets its events. What was said stays in the conversation. */
  async removeTurn(turnId: string): Promise<Reply<void>> {
    return reply(async () => {
      this.#commandOf(turnId);
      const running = this.#running.get(turnId);
      running?.stop.abort();
      await running?.live.ended;
      this.#log.remove(turnId);
    });
  }

  /** Stops a running turn, or the newest one. Idempotent, and tells the truth about who came first. */
  async stopTurn(turnId?: string): Promise<Reply<StopOutcome>> {
    return reply(async () => {
      const id = turnId ?? [...this.#running.keys()].at(-1) ?? this.#log.newest()?.turnId;
      if (id === undefined) throw new AppError('turn_not_found');
      const running = this.#running.get(id);
      if (running) {
        running.stop.abort();
        await running.live.ended;
      }
      return this.#outcome(id);
    });
  }

  async history(
    key: ConversationKey,
    limit: number,
    before: number | undefined,
  ): Promise<Reply<HistoryPage>> {
    return reply(async () => {
      const { version, messages } = await this.#store.tail(key, limit, before);
      if (version === 0) throw new AppError('session_not_found');
      return { version, messages, first: Math.min(before ?? version, version) - messages.length + 1 };
    });
  }

  /** Stops what runs and forgets the conversation. */
  async remove(key: ConversationKey): Promise<Reply<void>> {
    return reply(async () => {
      for (const { stop } of this.#running.values()) stop.abort();
      await this.#line;
      const existed = await this.#store.remove(key);
      this.#log.clear();
      await directoryOf(this.env, key).remove(key.sessionId);
      if (!existed) throw new AppError('session_not_found');
    });
  }

  override async alarm(): Promise<void> {
    // Waking up was the point: the constructor has taken up again whatever was cut off.
    const { now, config } = this.#services;
    const left = this.#log.expire(now() - config.turnTtlMs);
    if (left) await this.#watch();
  }

  #resume(row: TurnRow): void {
    const command: TurnCommand = JSON.parse(row.command);
    const logged = this.#log.readAll(row.turnId);
    const live = new LiveTurn(this.#liveOptions(row.turnId), { ...logged, events: [...logged.events] });
    const plan = this.#plan(command, {});
    const asked: AskedModel | undefined = row.asked === null ? undefined : JSON.parse(row.asked);
    const events = logged.events.map(({ event }) => event);
    const batches = asked
      ? resumeTurn(plan.turn, asked, { events, modelEvents: logged.modelEvents })
      : failBeforeAsking();
    this.#enter(command, plan, live, batches);
  }

  /** Puts the turn in line; it runs when the one before it has ended. */
  #enter(
    command: TurnCommand,
    plan: { turn: TurnPlan; stop: AbortController; conversation: Conversation | undefined },
    live: LiveTurn,
    batches: AsyncGenerator<TurnBatch, void, void>,
  ): LiveTurn {
    const { turnId, context, sessionId } = command;
    this.#running.set(turnId, { live, stop: plan.stop });
    const run = async () => {
      await this.#watch();
      await live.run(batches, (error) => this.#refuse(error, command));
      this.#running.delete(turnId);
      await this.#list(
        { tenant: context.tenant, user: context.user, sessionId },
        plan.conversation?.rounds ?? 0,
      );
    };
    // Whatever happens to one turn, the next one gets its chance.
    this.#line = this.#line.then(run).catch((error) => void this.#refuse(error, command));
    return live;
  }

  #plan(
    command: TurnCommand,
    timings: TurnTimings,
  ): { turn: TurnPlan; stop: AbortController; conversation: Conversation | undefined } {
    const { context, turnId, request } = command;
    const { now, sessionModelsFor } = this.#services;
    const stop = new AbortController();
    const timeout = AbortSignal.timeout(Math.max(0, context.deadlineMs - now()));
    const conversation = command.alone ? undefined : this.#conversation(command);
    const turn: TurnPlan = {
      turnId,
      request,
      ...(conversation && { conversation }),
      models: sessionModelsFor(context, turnId),
      timings,
      signal: AbortSignal.any([stop.signal, timeout]),
      stop: stop.signal,
      now,
      onAsk: (asked) => this.#log.ask(turnId, JSON.stringify(asked)),
    };
    return { turn, stop, conversation };
  }

  #conversation({ context, turnId, request, sessionId, branch, ownSystem }: TurnCommand): Conversation {
    const { config, counters, catalog, newId, now } = this.#services;
    return new Conversation({
      key: { tenant: context.tenant, user: context.user, sessionId },
      turnId,
      store: this.#store,
      request,
      limits: config.window,
      branch,
      keepSystem: !ownSystem,
      counters,
      describeModel: (name) => catalog.find(context, name),
      newId,
      now,
    });
  }

  #liveOptions(turnId: string) {
    return { turnId, log: this.#log, sync: () => this.ctx.storage.sync(), now: this.#services.now };
  }

  /**
   * The turn that this command's idempotency key has started already. One that failed is no answer: the key
   * is free again. @throws AppError `idempotency_mismatch`
   */
  #firstOfKey({ idempotency, turnId }: TurnCommand): TurnCommand | undefined {
    if (!idempotency) return undefined;
    const { key, bodyHash } = idempotency;
    const first = this.#log.findByKey(key);
    if (first && first.bodyHash !== bodyHash) throw new AppError('idempotency_mismatch');
    if (first && this.#log.find(first.turnId)?.status !== 'failed') return this.#commandOf(first.turnId);
    this.#log.keepKey(key, bodyHash, turnId);
    return undefined;
  }

  async #answer(
    command: TurnCommand,
    turn: ReturnType<LiveTurn['read']>,
    timings: TurnTimings,
  ): Promise<Response> {
    if (command.background && !command.wire.stream) return this.#describe(command.turnId);
    return this.#respond(turn, command, -1, timings);
  }

  #respond(
    turn: AsyncGenerator<{ events: NumberedTurnEvent[] }, void, void>,
    { context, turnId, wire, createdAt }: TurnCommand,
    after: number,
    timings: TurnTimings,
  ): Promise<Response> {
    return toTurnResponse(turn, {
      turnId,
      wire: createWire(wire, { requestId: context.requestId, ids: true, createdAt }),
      stream: wire.stream,
      after,
      timings,
      heartbeatMs: this.#services.config.heartbeatMs,
      // A reader that leaves is no stop: the turn runs on.
      onCancel: () => undefined,
    });
  }

  /** A turn's events from the beginning: out of memory while it runs, in frames from the log afterwards. */
  #read(turnId: string): AsyncGenerator<{ events: NumberedTurnEvent[] }, void, void> {
    return this.#running.get(turnId)?.live.read(-1) ?? readLogged(this.#log, turnId);
  }

  /** @throws AppError `turn_expired` */
  #commandOf(turnId: string): TurnCommand {
    const row = this.#log.find(turnId);
    if (!row) throw new AppError('turn_expired');
    return JSON.parse(row.command);
  }

  #describe(turnId: string, asked?: WireRequest): Response {
    const command = this.#commandOf(turnId);
    const { context, createdAt } = command;
    const wire = createWire(wireFor(command, asked), { requestId: context.requestId, ids: true, createdAt });
    return Response.json(wire.body(this.#result(turnId)));
  }

  #result(turnId: string): TurnResult {
    const result = emptyTurnResult();
    for (const { event } of this.#log.readAll(turnId).events) foldTurnEvent(result, event);
    return result;
  }

  #outcome(turnId: string): StopOutcome {
    const row = this.#log.find(turnId);
    if (!row) throw new AppError('turn_not_found');
    const result = this.#result(turnId);
    return {
      turnId,
      status: row.status === 'cancelled' ? 'cancelled' : 'finished',
      text: turnText(result, 'text'),
      usage: result.usage ?? noUsage,
    };
  }

  /** Makes sure that the object wakes up again while a turn runs, and later to forget what is too old. */
  async #watch(): Promise<void> {
    const { now, config } = this.#services;
    const dueMs = now() + (this.#running.size > 0 ? WATCH_MS : config.turnTtlMs);
    await this.ctx.storage.setAlarm(dueMs);
  }

  #refuse(thrown: unknown, { context, turnId }: TurnCommand): AppError {
    const error = toAppError(thrown);
    logError({ requestId: context.requestId, turnId, error });
    return error;
  }

  /** The directory is a convenience: a turn does not fail because of it. */
  async #list(key: ConversationKey, rounds: number): Promise<void> {
    // Nothing was stored, so there is nothing to list.
    if (rounds === 0) return;
    try {
      await directoryOf(this.env, key).touch(key.sessionId, this.#services.now(), rounds);
    } catch (cause) {
      logError({ requestId: '', turnId: '', error: toAppError(cause) });
    }
  }
}

/** The wire that the turn was asked on, unless this reader speaks another. */
function wireFor(command: TurnCommand, asked: WireRequest | undefined): WireRequest {
  return asked && asked.kind !== command.wire.kind ? asked : command.wire;
}

async function* readLogged(
  log: TurnLog,
  turnId: string,
): AsyncGenerator<{ events: NumberedTurnEvent[] }, void, void> {
  let after = -1;
  for (;;) {
    const events = log.read(turnId, after);
    const last = events.at(-1);
    if (!last) return;
    yield { events };
    after = last.seq;
  }
}

/** A turn that was cut off while it waited or loaded: no model was asked, so nothing is lost but the turn. */
// biome-ignore lint/correctness/useYield: it only throws
async function* failBeforeAsking(): AsyncGenerator<TurnBatch, void, void> {
  throw new AppError('generation_lost', { retryable: true });
}

/** The object's methods as its stub has them. The platform's own type expands JSON without end. */
export type SessionStub = Pick<
  SessionObject,
  'startTurn' | 'attach' | 'describe' | 'question' | 'stopTurn' | 'removeTurn' | 'history' | 'remove'
>;

export function sessionOf(
  bindings: Pick<EdgeBindings, 'SESSIONS'>,
  { tenant, user, sessionId }: ConversationKey,
): SessionStub {
  const id = bindings.SESSIONS.idFromName(JSON.stringify([tenant, user, sessionId]));
  return bindings.SESSIONS.get(id) as unknown as SessionStub;
}

async function reply<T>(work: () => Promise<T>): Promise<Reply<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: toAppError(error).toInfo() };
  }
}
