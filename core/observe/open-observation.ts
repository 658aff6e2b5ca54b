/** What a core shows of its work, put together: log lines, metrics, spans. */
import { createSpanExporter } from '../../shared/observe/span-exporter.ts';
import type { GenerationEnd } from './generation-end.ts';
import { logGeneration } from './log.ts';
import { type CoreMetrics, createMetrics, type MetricsSources } from './metrics.ts';
import { tellGeneration } from './spans.ts';

export interface Observation {
  metrics: CoreMetrics;
  generationEnded(end: GenerationEnd): void;
  /** Sends the spans that are not sent yet. */
  flush(): Promise<void>;
}

export interface ObservationOptions {
  /** Where spans go; nowhere without it. */
  traces: { url: string; authorization: string | undefined } | undefined;
  sources: MetricsSources;
  fetch: typeof fetch;
  now: () => number;
  wait: (ms: number) => Promise<void>;
}

export function openObservation({ traces, sources, fetch, now, wait }: ObservationOptions): Observation {
  const metrics = createMetrics(sources);
  const defer = (work: Promise<unknown>) => void work;
  const spans = traces && createSpanExporter({ ...traces, service: 'edgewise-core', fetch, defer, wait });
  return {
    metrics,
    generationEnded(end) {
      logGeneration(end);
      metrics.ended(end);
      tellGeneration(spans, end, now);
    },
    flush: async () => spans?.flush(),
  };
}
