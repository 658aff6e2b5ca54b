/**
 * The sockets of one session: each receives every turn's events, in the order of the turns. The platform owns
 * the sockets, and they outlive this object's sleep; what a socket needs to be known by is attached to it.
 */
import { AppError, toAppError, toOpenAIError } from '../../shared/errors.ts';
import { utf8Length } from '../../shared/model/token-count.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import { parseClientMessage } from '../../shared/protocol/session-protocol.ts';
import { closeCodes, SESSION_PROTOCOL } from '../../shared/protocol/session-socket.ts';
import { parseResponseId, responseId } from '../wire/response-id.ts';
import { createResponsesEventEncoder } from '../wire/responses.ts';
import { parseResponsesRequest } from '../wire/responses-schema.ts';
import type { TurnEvents } from '../wire/turn-response.ts';
import { SocketFlow } from './socket-flow.ts';
import type { TurnCommand } from './turn-command.ts';

/** Who is at the other end; attached to the socket. */
export interface SocketOwner {
  context: RequestContext;
  sessionId: string;
  /** Unix time in milliseconds. */
  expiresAtMs: number;
  /** The last event that the client has: what it came back with, and then what was sent, so that nothing is sent twice. */
  last?: { turnId: string; seq: number };
}

export interface SessionSocketsOptions {
  state: DurableObjectState;
  /** How long a turn may take. */
  turnTimeoutMs: number;
  /** Most bytes of a message. */
  maxBodyBytes: number;
  /** Whether the key behind a caller may still be used. Never rejects. */
  mayStay: (context: RequestContext) => Promise<boolean>;
  now: () => number;
  newId: () => string;
  /** Starts a turn; its events come back over the sockets like everyone's. @throws AppError */
  start: (command: TurnCommand) => Promise<void>;
  stop: (turnId: string | undefined) => Promise<void>;
  /** @throws AppError `turn_expired` */
  commandOf: (turnId: string) => TurnCommand;
  /** The turns that began after one, or without one those that run or wait; in their order. */
  turnsSince: (turnId: string | undefined) => string[];
  read: (turnId: string) => TurnEvents & AsyncIterable<{ events: { seq: number }[] }>;
}

/** Sockets that one session may have: a user's devices and tabs. */
const MAX_SOCKETS = 32;
/** Messages that a client may send at once, and a second after that; acknowledgements do not count. */
const MESSAGE_BURST = 30;
const MESSAGES_A_SECOND = 5;
/** How often the keys behind open sockets are looked at again, in milliseconds. */
const RECHECK_MS = 60_000;

export class SessionSockets {
  readonly #options: SessionSocketsOptions;
  /** The end of what is being sent to a socket: one thing after the other keeps the order. */
  readonly #sending = new WeakMap<WebSocket, Promise<void>>();
  readonly #flows = new WeakMap<WebSocket, SocketFlow>();
  /** Of each socket, the replay of a turn that is under way; a newer one of the same turn takes its place. */
  readonly #replays = new WeakMap<WebSocket, Map<string, symbol>>();
  readonly #messages = new WeakMap<WebSocket, { tokens: number; atMs: number }>();

  constructor(options: SessionSocketsOptions) {
    this.#options = options;
    options.state.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'));
  }

  /**
   * Accepts a socket, and sends it the turns it has missed: those since its last event, or the one that runs.
   * @param offered The subprotocols that the client offers
   */
  accept(owner: SocketOwner, offered: string | null): Response {
    if (this.#options.state.getWebSockets().length >= MAX_SOCKETS) {
      const message = `A session has at most ${MAX_SOCKETS} sockets.`;
      return Response.json(toOpenAIError(new AppError('rate_limit_exceeded', { message }).toInfo()), {
        status: 429,
      });
    }
    const [client, server] = Object.values(new WebSocketPair()) as [WebSocket, WebSocket];
    this.#options.state.acceptWebSocket(server);
    server.serializeAttachment(owner);
    const { last } = owner;
    if (last) this.#follow(server, last.turnId, last.seq);
    for (const turnId of this.#options.turnsSince(last?.turnId)) this.#follow(server, turnId, -1);
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: isOffered(offered) ? { 'sec-websocket-protocol': SESSION_PROTOCOL } : {},
    });
  }

  /** Sends a turn that has begun to every socket. */
  announce(turnId: string): void {
    for (const socket of this.#options.state.getWebSockets()) {
      const { last } = ownerOf(socket);
      this.#follow(socket, turnId, last?.turnId === turnId ? last.seq : -1);
    }
  }

  async receive(socket: WebSocket, text: string | ArrayBuffer): Promise<void> {
    const owner = ownerOf(socket);
    try {
      if (owner.expiresAtMs <= this.#options.now())
        return socket.close(closeCodes.tokenExpired, 'the token has expired');
      const bytes = typeof text === 'string' ? utf8Length(text) : text.byteLength;
      if (bytes > this.#options.maxBodyBytes) throw new AppError('request_too_large');
      if (typeof text !== 'string') throw new AppError('invalid_json', { message: 'Messages are text.' });
      await this.#handle(socket, owner, text);
    } catch (thrown) {
      sendError(socket, thrown);
    }
  }

  /**
   * Closes the sockets whose token has expired or whose key is revoked.
   * @returns when to look again, Unix milliseconds; `undefined` when no socket is open
   */
  async closeUnauthorized(): Promise<number | undefined> {
    const { state, now, mayStay } = this.#options;
    let next: number | undefined;
    for (const socket of state.getWebSockets()) {
      const { expiresAtMs, context } = ownerOf(socket);
      if (expiresAtMs <= now()) socket.close(closeCodes.tokenExpired, 'the token has expired');
      else if (!(await mayStay(context))) socket.close(closeCodes.tokenExpired, 'the key is revoked');
      else {
        const lookAgainMs =
          context.keyId === undefined ? expiresAtMs : Math.min(expiresAtMs, now() + RECHECK_MS);
        next = Math.min(next ?? lookAgainMs, lookAgainMs);
      }
    }
    return next;
  }

  closeAll(): void {
    for (const socket of this.#options.state.getWebSockets())
      socket.close(closeCodes.sessionDeleted, 'the session was deleted');
  }

  async #handle(socket: WebSocket, owner: SocketOwner, text: string): Promise<void> {
    const message = parseClientMessage(text);
    const { start, stop, commandOf } = this.#options;
    if (message.type === 'edgewise.ack')
      return this.#flowOf(socket).acknowledge(this.#turnOf(owner, message.responseId), message.seq);
    this.#flowOf(socket).messageReceived();
    if (!this.#takeMessage(socket))
      return socket.close(closeCodes.tooManyMessages, 'too many messages; come back to go on');
    // Whatever spends, or sends an answer again, is for callers who may still come in.
    if (message.type !== 'response.cancel' && !(await this.#options.mayStay(owner.context)))
      return socket.close(closeCodes.tokenExpired, 'the key is revoked');
    switch (message.type) {
      case 'response.create':
        return start(this.#toCommand(owner, message.body));
      case 'response.cancel':
        return stop(message.responseId === undefined ? undefined : this.#turnOf(owner, message.responseId));
      case 'edgewise.resume': {
        const turnId = this.#turnOf(owner, message.responseId);
        commandOf(turnId);
        return this.#follow(socket, turnId, message.after);
      }
    }
  }

  /** A token bucket of each socket. @returns whether the socket may send this message */
  #takeMessage(socket: WebSocket): boolean {
    const nowMs = this.#options.now();
    const bucket = this.#messages.get(socket) ?? { tokens: MESSAGE_BURST, atMs: nowMs };
    const refilled = bucket.tokens + ((nowMs - bucket.atMs) / 1000) * MESSAGES_A_SECOND;
    const tokens = Math.min(MESSAGE_BURST, refilled) - 1;
    this.#messages.set(socket, { tokens: Math.max(tokens, 0), atMs: nowMs });
    return tokens >= 0;
  }

  #flowOf(socket: WebSocket): SocketFlow {
    const flow = this.#flows.get(socket) ?? new SocketFlow();
    this.#flows.set(socket, flow);
    return flow;
  }

  #turnOf(owner: SocketOwner, id: string): string {
    const { turnId, sessionId } = parseResponseId(id);
    if (sessionId !== owner.sessionId) throw new AppError('response_not_found', { param: 'response_id' });
    return turnId;
  }

  #toCommand({ context, sessionId }: SocketOwner, body: Record<string, unknown>): TurnCommand {
    const { now, newId, turnTimeoutMs } = this.#options;
    const { conversation: _, ...rest } = body;
    const input = parseResponsesRequest(rest);
    const turnId = newId();
    const previous = input.previousResponseId;
    return {
      context: { ...context, deadlineMs: now() + turnTimeoutMs },
      sessionId,
      turnId,
      createdAt: Math.floor(now() / 1000),
      request: input.request,
      branch:
        previous === undefined ? undefined : { kind: 'after-turn', turnId: parseResponseId(previous).turnId },
      ownSystem: true,
      wire: { kind: 'responses', stream: true, echo: input.echo, responseId: responseId(turnId, sessionId) },
    };
  }

  #follow(socket: WebSocket, turnId: string, after: number): void {
    const replay = Symbol(turnId);
    const replays = this.#replays.get(socket) ?? new Map<string, symbol>();
    this.#replays.set(socket, replays.set(turnId, replay));
    const isCurrent = () => replays.get(turnId) === replay;
    const before = this.#sending.get(socket) ?? Promise.resolve();
    this.#sending.set(
      socket,
      before
        .then(() => this.#send(socket, turnId, after, isCurrent))
        .then(() => {
          if (isCurrent()) replays.delete(turnId);
        })
        .catch((error) => sendError(socket, error))
        // A socket that closed in between is over; the turn is not.
        .catch(() => undefined),
    );
  }

  async #send(socket: WebSocket, turnId: string, after: number, isCurrent: () => boolean): Promise<void> {
    if (!isCurrent()) return;
    const { commandOf, read } = this.#options;
    const { sessionId, createdAt, wire } = commandOf(turnId);
    const id = responseId(turnId, sessionId);
    const encode = createResponsesEventEncoder({
      responseId: id,
      createdAt,
      echo: wire.kind === 'responses' ? wire.echo : {},
    });
    const turn = read(turnId);
    const flow = this.#flowOf(socket);
    for (let step = await turn.next(); !step.done; step = await turn.next()) {
      if (!isCurrent()) return;
      const seq = step.value.events.at(-1)?.seq ?? -1;
      if (seq > after) socket.serializeAttachment({ ...ownerOf(socket), last: { turnId, seq } });
      for (const numbered of step.value.events) {
        const event = encode(numbered);
        if (numbered.seq <= after) continue;
        if (flow.isFull && !(await flow.hasRoom()))
          return socket.close(closeCodes.tooSlow, 'the reader is too slow; resume to go on');
        const frame = JSON.stringify({ ...event, response_id: id });
        socket.send(frame);
        flow.sent(turnId, numbered.seq, frame.length);
      }
    }
  }
}

function isOffered(offered: string | null): boolean {
  return offered?.split(',').some((name) => name.trim() === SESSION_PROTOCOL) ?? false;
}

function ownerOf(socket: WebSocket): SocketOwner {
  return socket.deserializeAttachment() as SocketOwner;
}

function sendError(socket: WebSocket, thrown: unknown): void {
  const error = toAppError(thrown);
  const body = toOpenAIError(error.toInfo(), ownerOf(socket).context.requestId);
  socket.send(JSON.stringify({ type: 'error', status: error.status, ...body }));
}
