import { continueTrace, parseTraceparent, toTraceparent } from '../../shared/observe/trace-context.ts';
import type { Observer } from '../observe/observer.ts';
import type { EdgeContext } from './edge-hono.ts';

export interface RequestLogOptions {
  observer: Pick<Observer, 'requestEnded'>;
  /** The share of new traces that is exported; `undefined` when traces are not exported. */
  traceSample: number | undefined;
  random: () => number;
  /** Unix time in milliseconds. */
  now: () => number;
}

/** Records a request when its response headers are sent; a turn records the end of its stream. */
export function createRequestLog({ observer, traceSample, random, now }: RequestLogOptions) {
  return function startRequestLog(c: EdgeContext): { end(): void } {
    const startMs = now();
    const sent = traceSample === undefined ? undefined : parseTraceparent(c.req.header('traceparent'));
    const span = traceSample === undefined ? undefined : continueTrace(sent, () => random() < traceSample);
    if (span) c.set('traceparent', toTraceparent(span));
    return {
      end: () =>
        observer.requestEnded({
          requestId: c.get('requestId'),
          method: c.req.method,
          route: c.req.routePath,
          startMs,
          endMs: now(),
          errorCode: c.get('errorCode'),
          answer: c.res,
          trace: span && { span, parentSpanId: sent?.spanId },
        }),
    };
  };
}
