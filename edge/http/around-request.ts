import type { MiddlewareHandler } from 'hono';
import { edgeServices } from '../services.ts';
import { allowOrigin } from './cross-origin.ts';
import type { EdgeHono } from './edge-hono.ts';
import { nameAnswer, nameRequest } from './request-id.ts';
import { startRequestLog } from './request-log.ts';
import { secureAnswer } from './security-headers.ts';

/** What is done around every request, whatever it asks: one guard for all, since each layer of its own costs a hit time. */
export function aroundRequest(): MiddlewareHandler<EdgeHono> {
  return async function around(c, next) {
    c.set('services', edgeServices(c.env));
    nameRequest(c);
    const log = startRequestLog(c);
    // A preflight is answered there.
    const answer = await allowOrigin(c, next);
    if (answer) c.res = answer;
    secureAnswer(c);
    nameAnswer(c);
    log.end();
  };
}
