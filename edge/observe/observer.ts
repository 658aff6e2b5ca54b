/** What the edge reports of itself: measurements, log lines, spans. Routes and turns report to it alone. */
import type { CacheMark, Usage } from '../../shared/model/chat-model.ts';
import { newSpanId, type SpanExporter, spanKinds } from '../../shared/observe/span-exporter.ts';
import { parseTraceparent, type TraceContext } from '../../shared/observe/trace-context.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import { heldSeries } from './held-series.ts';
import { isLogged, logLine } from './log.ts';
import { createMeasureTurn, type MeasuredTurn, type Price, toMeasuredTurn } from './measure-turn.ts';
import type { Measurements } from './measurements.ts';
import { answeredBy, type EndedTurnFacts, logTurn, toNanoseconds } from './record-turn.ts';

export interface EndedRequest {
  requestId: string;
  method: string;
  /** As the app's map has it: `/v1/sessions/:id`. */
  route: string;
  startMs: number;
  endMs: number;
  errorCode: string | undefined;
  answer: Response;
  trace: { span: TraceContext; parentSpanId: string | undefined } | undefined;
}

/** What is counted of an answer that this isolate held. */
export interface ServedAnswer {
  model: string;
  usage?: Usage;
}

export interface Observer {
  readonly measurements: Measurements;
  requestEnded(request: EndedRequest): void;
  turnEnded(context: RequestContext, facts: EndedTurnFacts): void;
  /** An answer that this isolate held: the log line of its request says the rest. */
  answeredAtOnce(answer: ServedAnswer): void;
  /** Something that is worth a line and a count of its own. */
  happened(action: 'resume' | 'stop', requestId: string, fields: Record<string, string>): void;
}

export interface ObserverOptions {
  measurements: Measurements;
  spans: SpanExporter | undefined;
  priceOf: (context: RequestContext, model: string) => Promise<Price>;
  now: () => number;
}

const knownMethods: ReadonlySet<string> = new Set(['GET', 'POST', 'PATCH', 'DELETE', 'OPTIONS']);

// long: a factory: one short function for each thing that is observed
export function createObserver({ measurements, spans, priceOf, now }: ObserverOptions): Observer {
  const measureTurn = createMeasureTurn(measurements);
  /** Answers of the fast path, and how often each was served: most are a few that are asked again and again. */
  let hits = new Map<ServedAnswer, number>();
  function measureHits(): void {
    const measured = hits;
    hits = new Map();
    for (const [{ model, usage }, times] of measured) {
      const cache: CacheMark = { outcome: 'hit' };
      const result = { model, cache, ...(usage && { usage }) };
      measureTurn({ plan: '', result, durationMs: 0 }, { times });
    }
  }

  /** Turns that ended, each with the context that its price is asked in. */
  let ended: { context: RequestContext; turn: MeasuredTurn }[] = [];
  async function measureTurns(): Promise<void> {
    const measured = ended;
    ended = [];
    for (const { context, turn } of measured) {
      const price = await priceOf(context, turn.result.model).catch(() => undefined);
      measureTurn(turn, { price });
    }
  }

  const requestsOf = heldSeries((method: string, route: string, status: string) => ({
    total: measurements.of('edgewise_requests_total', { method, route, status }),
    seconds: measurements.of('edgewise_request_duration_seconds', { route }),
  }));

  return {
    measurements,

    requestEnded(request) {
      const { method, route, answer, startMs, endMs, trace } = request;
      const { status } = answer;
      const name = route.includes('*') ? 'other' : route;
      const shown = knownMethods.has(method) ? method : 'other';
      const { total, seconds } = requestsOf(shown, name, String(status));
      total.count();
      seconds.observe((endMs - startMs) / 1000);
      if (isLogged(status >= 500 ? 'warn' : 'info')) logRequest(request);
      if (!spans || !trace?.span.isSampled) return;
      const { traceId, spanId } = trace.span;
      spans.export({
        name: `${shown} ${name}`,
        traceId,
        spanId,
        parentSpanId: trace.parentSpanId,
        kind: spanKinds.server,
        startMs,
        endMs,
        attributes: {
          'http.request.method': shown,
          'http.route': name,
          'http.response.status_code': status,
        },
        error: status >= 500 ? String(status) : undefined,
      });
    },

    turnEnded(context, facts) {
      logTurn(context, facts);
      if (ended.length === 0) measurements.later(measureTurns);
      ended.push({ context, turn: toMeasuredTurn(context, facts) });
      const trace = parseTraceparent(context.traceparent);
      if (!spans || !trace?.isSampled) return;
      const { result, durationMs } = facts;
      spans.export({
        name: `chat ${result.model}`.trim(),
        traceId: trace.traceId,
        spanId: newSpanId(),
        parentSpanId: trace.spanId,
        kind: spanKinds.internal,
        startMs: now() - durationMs,
        endMs: now(),
        attributes: {
          'gen_ai.operation.name': 'chat',
          'gen_ai.provider.name': facts.provider,
          'gen_ai.response.model': result.model || undefined,
          'gen_ai.usage.input_tokens': result.usage?.inputTokens,
          'gen_ai.usage.output_tokens': result.usage?.outputTokens,
          'edgewise.answered_by': answeredBy(result),
          'edgewise.cache': result.cache?.outcome,
        },
        error: result.error?.code,
      });
    },

    answeredAtOnce(answer) {
      if (hits.size === 0) measurements.later(measureHits);
      hits.set(answer, (hits.get(answer) ?? 0) + 1);
    },

    happened(action, requestId, fields) {
      logLine('info', action, { 'event.action': action, 'http.request.id': requestId, edgewise: fields });
    },
  };
}

function logRequest({
  requestId,
  method,
  route,
  startMs,
  endMs,
  errorCode,
  answer: { status, headers },
  trace,
}: EndedRequest): void {
  const header = (name: string) => headers.get(name) ?? undefined;
  logLine(status >= 500 ? 'warn' : 'info', 'request', {
    'event.action': 'request',
    'event.outcome': status >= 400 ? 'failure' : 'success',
    'event.duration': toNanoseconds(endMs - startMs),
    'http.request.id': requestId,
    'http.request.method': method,
    'http.response.status_code': status,
    'url.path': route,
    'trace.id': trace?.span.traceId,
    'error.code': errorCode,
    'gen_ai.response.model': header('x-edgewise-model'),
    edgewise: {
      route: header('x-edgewise-route'),
      cache: header('x-edgewise-cache'),
      fallback: header('x-edgewise-fallback'),
    },
  });
}
