import type { MiddlewareHandler } from 'hono';
import { completeAnswer } from './answer-headers.ts';
import { acrossOrigins } from './cross-origin.ts';
import type { BodyLimits, EdgeHono } from './edge-hono.ts';
import { nameRequest } from './request-id.ts';
import { createRequestLog, type RequestLogOptions } from './request-log.ts';

export interface AroundRequestOptions extends RequestLogOptions {
  bodyLimits: BodyLimits;
  /** Exact origins that browsers may call from, or `*`. */
  corsOrigins: string[];
}

/** What is done around every request, whatever it asks: one guard for all, since each layer of its own costs a hit time. */
export function aroundRequest(options: AroundRequestOptions): MiddlewareHandler<EdgeHono> {
  const { bodyLimits, corsOrigins } = options;
  const startRequestLog = createRequestLog(options);
  return async function around(c, next) {
    c.set('bodyLimits', bodyLimits);
    nameRequest(c);
    const log = startRequestLog(c);
    if (corsOrigins.length === 0) await next();
    else await acrossOrigins(c, next, corsOrigins);
    if (c.get('madeWithHeaders') !== c.res) completeAnswer(c);
    log.end();
  };
}
