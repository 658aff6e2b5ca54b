import type { MiddlewareHandler, Next } from 'hono';
import { edgeServices } from '../services.ts';
import { allowOrigins } from './cross-origin.ts';
import type { EdgeContext, EdgeHono } from './edge-hono.ts';
import { nameAnswer, nameRequest } from './request-id.ts';
import { startRequestLog } from './request-log.ts';
import { openToOrigin, secureAnswer } from './security-headers.ts';

/** What is done around every request, whatever it asks: one guard for all, since each layer of its own costs a hit time. */
export function aroundRequest(): MiddlewareHandler<EdgeHono> {
  return async function around(c, next) {
    c.set('services', edgeServices(c.env));
    nameRequest(c);
    const log = startRequestLog(c);
    const { corsOrigins } = c.get('services').config;
    if (corsOrigins.length === 0) await next();
    else await acrossOrigins(c, next, corsOrigins);
    if (c.get('madeWithHeaders') !== c.res) {
      secureAnswer(c);
      nameAnswer(c);
    }
    if (corsOrigins.length > 0) openToOrigin(c);
    log.end();
  };
}

async function acrossOrigins(c: EdgeContext, next: Next, corsOrigins: string[]): Promise<void> {
  // A preflight is answered there.
  const answer = await allowOrigins(corsOrigins)(c, next);
  if (answer) c.res = answer;
}
