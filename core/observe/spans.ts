/** A generation as a span of its trace, by OpenTelemetry's conventions for generative AI. */
import { type SpanExporter, spanKinds } from '../../shared/observe/span-exporter.ts';
import type { GenerationEnd } from './generation-end.ts';

export function tellGeneration(
  exporter: SpanExporter | undefined,
  end: GenerationEnd,
  now: () => number,
): void {
  const { trace } = end;
  if (!exporter || !trace?.isSampled) return;
  exporter.export({
    name: `chat ${end.model}`,
    traceId: trace.traceId,
    spanId: trace.spanId,
    parentSpanId: trace.parentSpanId,
    kind: spanKinds.client,
    startMs: now() - end.durationMs,
    endMs: now(),
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': end.provider,
      'gen_ai.request.model': end.model,
      'gen_ai.usage.input_tokens': end.inputTokens,
      'gen_ai.usage.output_tokens': end.outputTokens,
      'edgewise.first_token_ms': end.firstTokenMs,
    },
    error: end.error,
  });
}
