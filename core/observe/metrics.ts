/** What Prometheus reads of a core, by the names of `shared/observe/metric-names.ts`. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RejectedCount } from '../../shared/model/usage-check.ts';
import { type CoreMetricName, coreMetrics, type MetricRule } from '../../shared/observe/metric-names.ts';
import type { ModelInfo } from '../../shared/protocol/generation-protocol.ts';
import type { GenerationEnd } from './generation-end.ts';

type BreakerState = NonNullable<ModelInfo['edgewise']['breaker']>;

export interface MetricsSources {
  /** Generations that run now. */
  running: () => number;
  /** Calls that wait for their turn at an upstream. */
  waiting: () => number;
  breakers: () => { model: string; state: BreakerState }[];
}

export interface CoreMetrics {
  /** A generation has ended. */
  ended(end: GenerationEnd): void;
  /** An upstream said a number of tokens that cannot be. */
  usageRejected(rejected: RejectedCount): void;
  /** In the text form, for `Content-Type: {@link contentType}`. */
  text(): Promise<string>;
  readonly contentType: string;
}

const breakerValues: Record<BreakerState, number> = { closed: 0, 'half-open': 1, open: 2 };

export function createMetrics({ running, waiting, breakers }: MetricsSources): CoreMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const of = (name: CoreMetricName) => ({ ...toOptions(name, coreMetrics[name]), registers });
  const duration = new Histogram(of('gen_ai_server_request_duration_seconds'));
  const firstToken = new Histogram(of('gen_ai_server_time_to_first_token_seconds'));
  const perToken = new Histogram(of('gen_ai_server_time_per_output_token_seconds'));
  const tokens = new Histogram(of('gen_ai_client_token_usage'));
  const fallbacks = new Counter(of('edgewise_fallbacks_total'));
  const rejectedUsage = new Counter(of('edgewise_usage_rejected_total'));
  new Gauge({
    ...of('edgewise_generations_running'),
    collect() {
      this.set(running());
    },
  });
  new Gauge({
    ...of('edgewise_quota_waiting'),
    collect() {
      this.set(waiting());
    },
  });
  new Gauge({
    ...of('edgewise_breaker_state'),
    collect() {
      this.reset();
      for (const { model: name, state } of breakers())
        this.set({ gen_ai_request_model: name }, breakerValues[state]);
    },
  });

  return {
    ended(end) {
      const labels = {
        gen_ai_operation_name: 'chat',
        gen_ai_provider_name: end.provider ?? '',
        gen_ai_request_model: end.provider === undefined ? '' : end.model,
      };
      duration.observe({ ...labels, error_type: end.error ?? '' }, end.durationMs / 1000);
      if (end.firstTokenMs !== undefined) {
        firstToken.observe(labels, end.firstTokenMs / 1000);
        const rest = (end.outputTokens ?? 0) - 1;
        if (rest > 0) perToken.observe(labels, (end.durationMs - end.firstTokenMs) / 1000 / rest);
      }
      if (end.inputTokens !== undefined)
        tokens.observe({ ...labels, gen_ai_token_type: 'input' }, end.inputTokens);
      if (end.outputTokens !== undefined)
        tokens.observe({ ...labels, gen_ai_token_type: 'output' }, end.outputTokens);
      if (end.fallback)
        fallbacks.inc({ from: end.fallback.from, to: end.model, reason: end.fallback.reason });
    },
    usageRejected: ({ model, operation, tokenType, fault }) =>
      rejectedUsage.inc({
        gen_ai_operation_name: operation,
        gen_ai_request_model: model,
        gen_ai_token_type: tokenType,
        reason: fault,
      }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

function toOptions(name: string, { help, labels, buckets }: MetricRule) {
  return { name, help, labelNames: Object.keys(labels), ...(buckets && { buckets: [...buckets] }) };
}
