import { AppError } from '../../shared/errors.ts';
import { SESSION_PROTOCOL } from '../../shared/protocol/session-socket.ts';
import { parseSessionId } from '../../shared/wire/chat-schema.ts';
import type { SocketOwner } from '../session/session-sockets.ts';
import { SOCKET_OWNER_HEADER, sessionObjectOf } from '../session/session-stub.ts';
import { parseResponseId } from '../wire/response-id.ts';
import type { EdgeContext } from './edge-hono.ts';
import { parseInteger } from './query.ts';
import { sessionKeyOfCaller } from './session-of-caller.ts';

export interface SessionSocketRouteOptions {
  /** Exact origins that browsers may call from, or `*`. */
  corsOrigins: readonly string[];
  /** Unix time in milliseconds. */
  now: () => number;
}

/**
 * `GET /v1/sessions/:id/ws`: a WebSocket to the session; see `shared/protocol/session-protocol.ts`. A client that
 * reconnects sends its position as `response_id` and `starting_after`.
 */
export function sessionSocketRoute({ corsOrigins, now }: SessionSocketRouteOptions) {
  return async function openSocket(c: EdgeContext<'/v1/sessions/:id/ws'>): Promise<Response> {
    if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') throw new AppError('upgrade_required');
    requireOrigin(c, corsOrigins);
    const sessionId = parseSessionId(c.req.param('id'), 'id');
    const context = c.get('request');
    const expiresAtMs = c.get('tokenExpiresAtMs');
    // The verifier tolerates an expired token for some seconds; a socket with one would be closed at once.
    if (expiresAtMs <= now()) throw new AppError('token_expired');
    const last = parseCursor(c, sessionId);
    const owner: SocketOwner = { context, sessionId, expiresAtMs, ...(last && { last }) };
    // The session gets the caller, never the token.
    const offered = c.req
      .header('sec-websocket-protocol')
      ?.split(',')
      .map((name) => name.trim());
    const headers = {
      upgrade: 'websocket',
      ...(offered?.includes(SESSION_PROTOCOL) && { 'sec-websocket-protocol': SESSION_PROTOCOL }),
      [SOCKET_OWNER_HEADER]: encodeURIComponent(JSON.stringify(owner)),
    };
    return sessionObjectOf(c.env, sessionKeyOfCaller(c, sessionId)).fetch('https://session/ws', { headers });
  };
}

/** `response_id` and `starting_after`: the last event of a turn that the client has. */
function parseCursor(c: EdgeContext, sessionId: string): SocketOwner['last'] {
  const id = c.req.query('response_id');
  if (id === undefined) return undefined;
  const place = parseResponseId(id);
  if (place.sessionId !== sessionId) throw new AppError('response_not_found', { param: 'response_id' });
  const range = { fallback: -1, min: 0, max: Number.MAX_SAFE_INTEGER };
  return { turnId: place.turnId, seq: parseInteger(c.req.query('starting_after'), 'starting_after', range) };
}

/** Browsers do not apply CORS to WebSockets, so the origin is checked here: one of the configured ones, or our own. */
function requireOrigin(c: EdgeContext, corsOrigins: readonly string[]): void {
  const origin = c.req.header('origin');
  if (origin === undefined) return;
  const own = new URL(c.req.url).origin;
  if (origin !== own && !corsOrigins.includes(origin) && !corsOrigins.includes('*'))
    throw new AppError('origin_not_allowed');
}
