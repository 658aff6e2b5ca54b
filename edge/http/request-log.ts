import { continueTrace, parseTraceparent, toTraceparent } from '../../shared/observe/trace-context.ts';
import type { EdgeContext } from './edge-hono.ts';

/** Tells of a request when its headers are out; of a stream's own end tells the turn. */
export function startRequestLog(c: EdgeContext): { end(): void } {
  const { observer, traceSample, random, now } = c.get('services');
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
}
