import { parseSessionId } from '../../shared/chat-schema.ts';
import { AppError } from '../../shared/errors.ts';
import { SESSION_PROTOCOL } from '../../shared/session-protocol.ts';
import { SOCKET_OWNER_HEADER, sessionObjectOf } from '../session/session-object.ts';
import type { SocketOwner } from '../session/session-sockets.ts';
import type { EdgeContext } from './edge-hono.ts';

/** `GET /v1/sessions/:id/ws`: a WebSocket to the session; see `shared/session-protocol.ts`. */
export async function sessionSocketRoute(c: EdgeContext<'/v1/sessions/:id/ws'>): Promise<Response> {
  if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') throw new AppError('upgrade_required');
  requireOrigin(c);
  const sessionId = parseSessionId(c.req.param('id'), 'id');
  const context = c.get('request');
  const expiresAtMs = c.get('tokenExpiresAtMs');
  // Clocks that differ get their grace with a request; a socket would be closed at once.
  if (expiresAtMs <= c.get('services').now()) throw new AppError('token_expired');
  const owner: SocketOwner = { context, sessionId, expiresAtMs };
  // The token stays here: what goes on is who it belongs to.
  const headers = {
    upgrade: 'websocket',
    'sec-websocket-protocol': SESSION_PROTOCOL,
    [SOCKET_OWNER_HEADER]: encodeURIComponent(JSON.stringify(owner)),
  };
  return sessionObjectOf(c.env, { ...context, sessionId }).fetch('https://session/ws', { headers });
}

/** Browsers do not hold WebSockets to CORS, so the origin is checked here: exactly one of the configured, or our own. */
function requireOrigin(c: EdgeContext): void {
  const origin = c.req.header('origin');
  if (origin === undefined) return;
  const { corsOrigins } = c.get('services').config;
  const own = new URL(c.req.url).origin;
  if (origin !== own && !corsOrigins.includes(origin) && !corsOrigins.includes('*'))
    throw new AppError('origin_not_allowed');
}
