/**
 * Tells spans to an OpenTelemetry collector: OTLP/HTTP 1.x in its JSON form, some at a time and behind the requests. Owns those
 * that are not exported yet; what a collector does not take is dropped.
 */
import { randomHex } from './trace-context.ts';

export interface Span {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  /** OTLP's numbers. */
  kind: 1 | 2 | 3;
  /** Unix times in milliseconds. */
  startMs: number;
  endMs: number;
  attributes: Readonly<Record<string, string | number | boolean | undefined>>;
  /** The code of the error that it ended in. */
  error?: string | undefined;
}

export const spanKinds = { internal: 1, server: 2, client: 3 } as const;

export interface SpanExporter {
  export(span: Span): void;
  flush(): Promise<void>;
}

export interface SpanExporterOptions {
  /** The collector's address, without `/v1/traces`. */
  url: string;
  /** What the collector wants to see in `Authorization`. */
  authorization: string | undefined;
  service: string;
  fetch: typeof fetch;
  defer: (work: Promise<unknown>) => void;
  wait: (ms: number) => Promise<void>;
}

const GATHER_MS = 2000;
const MAX_SPANS = 512;
const TIMEOUT_MS = 5000;

export function createSpanExporter(options: SpanExporterOptions): SpanExporter {
  const { url, authorization, service, fetch: send, defer, wait } = options;
  let spans: Span[] = [];
  let isGathering = false;
  const exporter: SpanExporter = {
    export(span) {
      if (spans.length < MAX_SPANS) spans.push(span);
      if (isGathering) return;
      isGathering = true;
      defer(wait(GATHER_MS).then(exporter.flush));
    },
    async flush() {
      isGathering = false;
      const batch = spans;
      spans = [];
      if (batch.length === 0) return;
      const request = {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(authorization !== undefined && { authorization }),
        },
        body: JSON.stringify(toOtlp(batch, service)),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      };
      await send(`${url}/v1/traces`, request)
        .then((answer) => answer.body?.cancel())
        .catch(() => undefined);
    },
  };
  return exporter;
}

export function newSpanId(): string {
  return randomHex(8);
}

function toOtlp(spans: readonly Span[], service: string): object {
  const resource = { attributes: toAttributes({ 'service.name': service }) };
  return {
    resourceSpans: [
      { resource, scopeSpans: [{ scope: { name: 'edgewise' }, spans: spans.map(toOtlpSpan) }] },
    ],
  };
}

function toOtlpSpan({ name, traceId, spanId, parentSpanId, kind, startMs, endMs, attributes, error }: Span) {
  return {
    traceId,
    spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    name,
    kind,
    startTimeUnixNano: `${Math.round(startMs)}000000`,
    endTimeUnixNano: `${Math.round(Math.max(startMs, endMs))}000000`,
    attributes: toAttributes({ ...attributes, 'error.type': error }),
    status: error === undefined ? {} : { code: 2 },
  };
}

function toAttributes(attributes: Span['attributes']): object[] {
  return Object.entries(attributes).flatMap(([key, value]): object[] => {
    if (value === undefined) return [];
    if (typeof value === 'string') return [{ key, value: { stringValue: value } }];
    if (typeof value === 'boolean') return [{ key, value: { boolValue: value } }];
    return [{ key, value: Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value } }];
  });
}
