import type { MiddlewareHandler } from 'hono';
import type { EdgeHono } from './edge-hono.ts';

/** Lets in who holds a valid bearer token (RFC 6750), and makes the request's context from it. */
export function requestContext(): MiddlewareHandler<EdgeHono> {
  return async function authenticate(c, next) {
    const { verifyToken, config, now } = c.get('services');
    const startMs = now();
    const caller = await verifyToken(bearerToken(c.req.header('authorization')));
    c.set('authMs', now() - startMs);
    c.set('request', {
      requestId: c.get('requestId'),
      ...caller,
      deadlineMs: startMs + config.turnTimeoutMs,
    });
    await next();
  };
}

function bearerToken(header: string | undefined): string | undefined {
  return header?.match(/^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i)?.[1];
}
