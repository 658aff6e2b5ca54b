import type { MiddlewareHandler } from 'hono';
import { completeAnswer } from './answer-headers.ts';
import { applyCors } from './cross-origin.ts';
import type { BodyLimits, EdgeHono } from './edge-hono.ts';
import { assignRequestId } from './request-id.ts';
import { createRequestLog, type RequestLogOptions } from './request-log.ts';

export interface AroundRequestOptions extends RequestLogOptions {
  bodyLimits: BodyLimits;
  /** Exact origins that browsers may call from, or `*`. */
  corsOrigins: string[];
}

/** The common steps of every request, in one middleware, since each further layer adds time to a cache hit. */
export function aroundRequest(options: AroundRequestOptions): MiddlewareHandler<EdgeHono> {
  const { bodyLimits, corsOrigins } = options;
  const startRequestLog = createRequestLog(options);
  return async function around(c, next) {
    c.set('bodyLimits', bodyLimits);
    assignRequestId(c);
    const log = startRequestLog(c);
    if (corsOrigins.length === 0) await next();
    else await applyCors(c, next, corsOrigins);
    if (c.get('completeResponse') !== c.res) completeAnswer(c);
    log.end();
  };
}
