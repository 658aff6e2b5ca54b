import type { MiddlewareHandler } from 'hono';
import { tokenOfProtocols } from '../../shared/protocol/session-socket.ts';
import type { Authenticate } from '../auth/authenticate.ts';
import { refuseBeyondSession } from './bound-token.ts';
import type { EdgeContext, EdgeHono } from './edge-hono.ts';

export interface RequestContextOptions {
  authenticate: Authenticate;
  /** Longest time of an answer. */
  turnTimeoutMs: number;
  /** Unix time in milliseconds. */
  now: () => number;
}

/** Requires a valid bearer token (RFC 6750), and creates the request's context from it. */
export function requestContext({
  authenticate,
  turnTimeoutMs,
  now,
}: RequestContextOptions): MiddlewareHandler<EdgeHono> {
  return async function checkToken(c, next) {
    const startMs = now();
    const { expiresAtMs, isKey, ...caller } = await authenticate(tokenOf(c), c.get('requestId'));
    c.set('isKey', isKey);
    c.set('tokenExpiresAtMs', expiresAtMs);
    c.set('authMs', now() - startMs);
    c.set('request', {
      requestId: c.get('requestId'),
      ...caller,
      traceparent: c.get('traceparent'),
      deadlineMs: startMs + turnTimeoutMs,
    });
    refuseBeyondSession(c);
    await next();
  };
}

/** A browser's WebSocket cannot send custom headers, so its token is a subprotocol; never part of the address. */
function tokenOf(c: EdgeContext): string | undefined {
  const header = c.req.header('authorization');
  if (header === undefined) return tokenOfProtocols(c.req.header('sec-websocket-protocol'));
  return header.match(/^Bearer +(.+)$/i)?.[1];
}
