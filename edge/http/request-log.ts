import type { MiddlewareHandler } from 'hono';
import { logLine } from '../observe/log.ts';
import type { EdgeHono } from './edge-hono.ts';

/** One line per request, when its headers are out; a stream's own end is told by the turn. */
export function requestLog(): MiddlewareHandler<EdgeHono> {
  return async function logRequest(c, next) {
    const startMs = Date.now();
    await next();
    logLine('info', 'request', {
      request_id: c.get('requestId'),
      method: c.req.method,
      path: c.req.routePath,
      status: c.res.status,
      duration_ms: Date.now() - startMs,
      route: c.res.headers.get('x-edgewise-route') ?? undefined,
      model: c.res.headers.get('x-edgewise-model') ?? undefined,
    });
  };
}
