/**
 * One conversation of one user: the entry to its turns (owned by the queue), their events (by the log) and its messages (by
 * the context store).
 */
import { DurableObject } from 'cloudflare:workers';
import { AppError, toAppError } from '../../shared/errors.ts';
import type { ChatMessage } from '../../shared/model/chat-model.ts';
import { forgotten } from '../../shared/protocol/memory-protocol.ts';
import { startDeadline } from '../../shared/stream/deadline.ts';
import type { NumberedTurnEvent } from '../../shared/turn/turn-events.ts';
import { setAlarmNoLaterThan } from '../alarm.ts';
import type { EdgeBindings } from '../bindings.ts';
import { logError } from '../observe/log.ts';
import type { TurnTimings } from '../observe/turn-timings.ts';
import { type Reply, reply } from '../reply.ts';
import { createWire, type WireRequest } from '../wire/create-wire.ts';
import { type TurnEvents, toTurnResponse } from '../wire/turn-response.ts';
import type { ContextStore, ConversationKey } from './context-store.ts';
import { directoryOf } from './directory-object.ts';
import { loggedOutcome, loggedResult } from './logged-result.ts';
import { SessionMemory } from './session-memory.ts';
import type { SessionParts } from './session-parts.ts';
import { SessionSockets, type SocketOwner } from './session-sockets.ts';
import {
  type HistoryPage,
  type SessionStub,
  SOCKET_OWNER_HEADER,
  type StopOutcome,
  type TurnCursor,
} from './session-stub.ts';
import { createSqliteContextStore, type ExpiringContextStore } from './sqlite-context-store.ts';
import type { TurnCommand } from './turn-command.ts';
import { createTurnLog, readLogged, type TurnLog } from './turn-log.ts';
import { TurnQueue } from './turn-queue.ts';
import { createUpstashContextStore } from './upstash-context-store.ts';

/** How often a running turn makes sure that it is still remembered, should the object be evicted. */
const WATCH_MS = 30_000;

/** `edge/worker.ts` gives it its parts. */
export abstract class SessionObject extends DurableObject<EdgeBindings> implements SessionStub {
  readonly #parts: SessionParts;
  readonly #memory: SessionMemory;
  /** The store, when it is this object's own. */
  readonly #ownStore?: ExpiringContextStore;
  readonly #log: TurnLog;
  readonly #queue: TurnQueue;
  readonly #sockets: SessionSockets;
  /** The last start that a socket asked for. */
  #starting: Promise<void> = Promise.resolve();

  constructor(state: DurableObjectState, bindings: EdgeBindings, parts: SessionParts) {
    super(state, bindings);
    this.#parts = parts;
    const { archive, conversations, now, newId } = parts;
    const { redis, sessionTtlMs, turnTimeoutMs, window } = parts.settings;
    let store: ContextStore;
    if (redis) store = createUpstashContextStore({ ...redis, ttlMs: sessionTtlMs });
    else store = this.#ownStore = createSqliteContextStore(state.storage);
    this.#log = createTurnLog(state.storage, !archive);
    this.#memory = new SessionMemory({
      ...{ storage: state.storage, archive, window, now, store, log: this.#log },
      resultOf: (turnId) => loggedResult(this.#log, turnId),
      onDelay: () => this.#watch(),
    });
    this.#queue = new TurnQueue({
      answering: parts.answering,
      conversations,
      memory: this.#memory,
      log: this.#log,
      measurements: parts.observer.measurements,
      now,
      sync: () => state.storage.sync(),
      waitUntil: (work) => state.waitUntil(work),
      onStart: (turnId) => this.#sockets.announce(turnId),
      onRun: () => this.#watch(),
      onEnd: (command, rounds) => {
        state.waitUntil(this.#memory.archive());
        return this.#list(command, rounds);
      },
    });
    this.#sockets = new SessionSockets({
      ...{ state, turnTimeoutMs, now, newId, mayStay: parts.mayStay },
      maxBodyBytes: parts.settings.maxBodyBytes,
      start: (command) => this.#startFromSocket(command),
      stop: async (turnId) => void (await this.stopTurn(turnId)),
      commandOf: (turnId) => this.#commandOf(turnId),
      turnsSince: (turnId) => this.#turnsSince(turnId),
      read: (turnId) => this.#read(turnId),
    });
    // Turns that an eviction or a crash cut off go on before anything else happens here.
    for (const row of this.#log.unfinished()) this.#queue.resume(row);
  }

  /** Starts a turn and answers with its first reader's response. The turn runs on when that reader leaves. */
  async startTurn(command: TurnCommand): Promise<Reply<Response>> {
    return reply(async () => {
      const timings: TurnTimings = {};
      const first = await this.#begin(command, timings);
      if (first.background && !first.wire.stream) return this.#describe(first.turnId);
      return this.#respond(this.#read(first.turnId), first, -1, timings);
    });
  }

  /** A turn's events after a cursor, and then the live rest. `undefined` when no turn is named and none is running. */
  async attach(cursor: TurnCursor): Promise<Reply<Response | undefined>> {
    return reply(async () => {
      const id = cursor.turnId ?? this.#queue.first;
      this.#noteResume('sse', id);
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
      await this.#queue.stop(turnId);
      this.#log.remove(turnId);
    });
  }

  /** Stops a running turn, or the newest one. Idempotent, and reports truthfully which came first. */
  async stopTurn(turnId?: string): Promise<Reply<StopOutcome>> {
    return reply(async () => {
      const id = turnId ?? this.#queue.ids.at(-1) ?? this.#log.newest()?.turnId;
      const isRunning = id !== undefined && this.#queue.ids.includes(id);
      const outcome = id === undefined ? 'unknown' : isRunning ? 'stopped' : 'already_ended';
      this.#parts.observer.measurements.count('edgewise_stops_total', { outcome });
      this.#parts.observer.happened('stop', '', { outcome, turn_id: id ?? '' });
      if (id === undefined) throw new AppError('turn_not_found');
      await this.#queue.stop(id);
      return loggedOutcome(this.#log, id);
    });
  }

  async history(
    key: ConversationKey,
    limit: number,
    before: number | undefined,
  ): Promise<Reply<HistoryPage>> {
    return reply(async () => {
      const { version, messages } = await this.#memory.store.tail(key, limit, before);
      if (version === 0) throw new AppError('session_not_found');
      return { version, messages, first: Math.min(before ?? version, version) - messages.length + 1 };
    });
  }

  /**
   * Stops what runs and forgets the conversation.
   * @param isLast Whether the archive deletes everything of the user by itself.
   */
  async remove(key: ConversationKey, isLast = false): Promise<Reply<void>> {
    return reply(async () => {
      await this.#queue.stopAll();
      this.#sockets.closeAll();
      const lastWords = await this.#memory.lastWords();
      const { isArchived } = this.#memory;
      const existed = (await this.#memory.store.remove(key)) || isArchived;
      this.#log.clear();
      if (isLast) await this.#memory.close();
      else this.#memory.forget(key, lastWords);
      this.ctx.waitUntil(this.#memory.archive());
      await directoryOf(this.env, key).remove(key.sessionId);
      if (!existed) throw new AppError('session_not_found');
    });
  }

  /**
   * Forgets what was said in one turn: the messages stay in their places, empty.
   * @returns the key of its answer in the cache, if it has one there
   */
  async forgetTurn(key: ConversationKey, turnId: string): Promise<Reply<string | undefined>> {
    return reply(async () => {
      await this.#queue.stop(turnId);
      const cacheKey = loggedResult(this.#log, turnId).cache?.key;
      const found = await this.#memory.store.redact(key, turnId, forgotten);
      this.#log.remove(turnId);
      await this.#memory.forgetTurn(key, turnId);
      if (!found) throw new AppError('turn_not_found');
      return cacheKey;
    });
  }

  /** Archives what is not archived yet. @returns whether everything is archived now */
  async archiveNow(): Promise<boolean> {
    await this.#memory.archive();
    return this.#memory.archiveRetryAtMs === undefined;
  }

  /** A socket to this session; {@link SOCKET_OWNER_HEADER} says whose, and only our own Worker sends it. */
  override async fetch(request: Request): Promise<Response> {
    const owner: SocketOwner = JSON.parse(decodeURIComponent(request.headers.get(SOCKET_OWNER_HEADER) ?? ''));
    const response = this.#sockets.accept(owner, request.headers.get('sec-websocket-protocol'));
    await this.#watch();
    return response;
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    return this.#sockets.receive(socket, message);
  }

  override async alarm(): Promise<void> {
    // Waking up was the point: the constructor has taken up again whatever was cut off.
    const { now, settings } = this.#parts;
    const turnsLeft = this.#log.expire(now() - settings.turnTtlMs);
    await this.#memory.archive();
    const newestMs = this.#queue.isEmpty ? this.#ownStore?.expire(now() - settings.sessionTtlMs) : undefined;
    if (
      turnsLeft ||
      this.#memory.archiveRetryAtMs !== undefined ||
      (await this.#sockets.closeUnauthorized()) !== undefined
    )
      await this.#watch();
    else if (newestMs !== undefined) await this.ctx.storage.setAlarm(newestMs + settings.sessionTtlMs);
  }

  /**
   * Starts a turn, unless its key has started one already. What a turn leaves on disk at its beginning is one write, and a
   * light model is asked while it is made: outside of a transaction a write holds every call back until it is on disk. The
   * client hears nothing before it is.
   */
  #begin(command: TurnCommand, timings: TurnTimings): Promise<TurnCommand> {
    return this.ctx.storage.transaction(async () => {
      const first = this.#firstOfKey(command);
      if (first) return first;
      this.#queue.start(command, timings);
      await this.#parts.wait(0);
      return command;
    });
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

  #respond(
    turn: TurnEvents,
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
      heartbeatMs: this.#parts.settings.heartbeatMs,
      // A reader that leaves is no stop: the turn runs on.
      onCancel: () => undefined,
    });
  }

  /** A socket's turns begin in the order in which they were asked. */
  #startFromSocket(command: TurnCommand): Promise<void> {
    const start = async () => {
      const { signal, clear } = startDeadline(this.#parts.settings.turnTimeoutMs);
      const request = await this.#parts.answering
        .filterPrompt(command.request, command.context, { signal })
        .finally(clear);
      await this.#begin({ ...command, request }, {});
    };
    const started = this.#starting.then(start);
    this.#starting = started.catch(() => undefined);
    return started;
  }

  /** A turn's events from the beginning: out of memory while it runs, in frames from the log afterwards. */
  #read(turnId: string): AsyncGenerator<{ events: NumberedTurnEvent[] }, void, void> {
    return this.#queue.read(turnId) ?? readLogged(this.#log, turnId);
  }

  #noteResume(transport: 'sse' | 'socket', turnId: string | undefined): void {
    const isRunning = turnId !== undefined && this.#queue.ids.includes(turnId);
    const isKept = turnId !== undefined && this.#log.find(turnId) !== undefined;
    const outcome = turnId === undefined ? 'nothing' : isRunning ? 'running' : isKept ? 'ended' : 'expired';
    this.#parts.observer.measurements.count('edgewise_resumes_total', { transport, outcome });
    this.#parts.observer.happened('resume', '', { transport, outcome, turn_id: turnId ?? '' });
  }

  /** A turn that is no longer kept cannot say which turns came after it. */
  #turnsSince(turnId: string | undefined): string[] {
    const since = turnId === undefined ? [] : this.#log.since(turnId).map((turn) => turn.turnId);
    return since.length > 0 ? since : this.#queue.ids.filter((id) => id !== turnId);
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
    return Response.json(wire.body(loggedResult(this.#log, turnId)));
  }

  /** Makes sure that the object wakes up again while a turn runs, and later to forget what is too old. */
  async #watch(): Promise<void> {
    const { now, settings } = this.#parts;
    const restMs = Math.min(settings.turnTtlMs, settings.sessionTtlMs);
    const dueMs = now() + (this.#queue.isEmpty ? restMs : WATCH_MS);
    const expiryMs = (await this.#sockets.closeUnauthorized()) ?? Number.POSITIVE_INFINITY;
    const retryAtMs = this.#memory.archiveRetryAtMs ?? Number.POSITIVE_INFINITY;
    await setAlarmNoLaterThan(this.ctx.storage, Math.min(dueMs, expiryMs, retryAtMs));
  }

  /** The directory is a convenience: a turn does not fail because of it. */
  async #list({ context, sessionId }: TurnCommand, rounds: number): Promise<void> {
    const { now, settings } = this.#parts;
    try {
      // Nothing was stored, so there is nothing to list; but the turn's events are here for a while.
      if (rounds === 0)
        return await directoryOf(this.env, context).hold(sessionId, now() + settings.turnTtlMs);
      await directoryOf(this.env, context).touch(sessionId, {
        updatedAtMs: now(),
        rounds,
        ttlMs: settings.sessionTtlMs,
      });
    } catch (cause) {
      logError({ requestId: context.requestId, error: toAppError(cause) });
    }
  }
}

/** The wire that the turn was asked on, unless this reader speaks another. */
function wireFor(command: TurnCommand, asked: WireRequest | undefined): WireRequest {
  return asked && asked.kind !== command.wire.kind ? asked : command.wire;
}
