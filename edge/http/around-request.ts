import type { MiddlewareHandler } from 'hono';
import { edgeServices } from '../services.ts';
import { completeAnswer } from './answer-headers.ts';
import { acrossOrigins } from './cross-origin.ts';
import type { EdgeHono } from './edge-hono.ts';
import { nameRequest } from './request-id.ts';
import { startRequestLog } from './request-log.ts';

/** What is done around every request, whatever it asks: one guard for all, since each layer of its own costs a hit time. */
export function aroundRequest(): MiddlewareHandler<EdgeHono> {
  return async function around(c, next) {
    c.set('services', edgeServices(c.env));
    nameRequest(c);
    const log = startRequestLog(c);
    const { corsOrigins } = c.get('services').config;
    if (corsOrigins.length === 0) await next();
    else await acrossOrigins(c, next, corsOrigins);
    if (c.get('madeWithHeaders') !== c.res) completeAnswer(c);
    log.end();
  };
}
