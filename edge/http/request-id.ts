import type { MiddlewareHandler } from 'hono';
import type { EdgeHono } from './edge-hono.ts';
import { setHeaders } from './response-headers.ts';

/** A client's own id is taken when it is one word of these characters. */
const acceptable = /^[A-Za-z0-9._-]{1,128}$/;

/** Names the request; every answer, error and log line carries the name. */
export function requestId(): MiddlewareHandler<EdgeHono> {
  return async function nameRequest(c, next) {
    const sent = c.req.header('x-request-id');
    c.set('requestId', sent && acceptable.test(sent) ? sent : crypto.randomUUID());
    await next();
    setHeaders(c, [['x-request-id', c.get('requestId')]]);
  };
}
