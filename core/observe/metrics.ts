/**
 * What Prometheus reads of a core. Names and buckets follow OpenTelemetry's semantic conventions for generative AI where
 * they have one; models are the registry's and errors the table's, so that no label grows without bound.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { GenerationEnd } from '../generations/generations.ts';
import type { BreakerState } from '../models/with-breaker.ts';

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
  /** In the text form, for `Content-Type: {@link contentType}`. */
  text(): Promise<string>;
  readonly contentType: string;
}

const durationBuckets = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
const firstTokenBuckets = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];
const perTokenBuckets = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];
const tokenBuckets = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576];
const breakerValues: Record<BreakerState, number> = { closed: 0, 'half-open': 1, open: 2 };

const model = ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model'] as const;

export function createMetrics({ running, waiting, breakers }: MetricsSources): CoreMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const duration = new Histogram({
    name: 'gen_ai_server_request_duration_seconds',
    help: 'Time from the request of a generation to its end.',
    labelNames: [...model, 'error_type'],
    buckets: durationBuckets,
    registers,
  });
  const firstToken = new Histogram({
    name: 'gen_ai_server_time_to_first_token_seconds',
    help: 'Time from the request of a generation to its first word.',
    labelNames: model,
    buckets: firstTokenBuckets,
    registers,
  });
  const perToken = new Histogram({
    name: 'gen_ai_server_time_per_output_token_seconds',
    help: 'Time between the tokens of an answer after the first one.',
    labelNames: model,
    buckets: perTokenBuckets,
    registers,
  });
  const tokens = new Histogram({
    name: 'gen_ai_client_token_usage',
    help: 'Tokens of a generation.',
    labelNames: [...model, 'gen_ai_token_type'],
    buckets: tokenBuckets,
    registers,
  });
  const fallbacks = new Counter({
    name: 'edgewise_fallbacks_total',
    help: 'Generations that another model answered than the first of the ladder.',
    labelNames: ['from', 'to', 'reason'],
    registers,
  });
  new Gauge({
    name: 'edgewise_generations_running',
    help: 'Generations that run now.',
    registers,
    collect() {
      this.set(running());
    },
  });
  new Gauge({
    name: 'edgewise_quota_waiting',
    help: 'Calls that wait for their turn at an upstream.',
    registers,
    collect() {
      this.set(waiting());
    },
  });
  new Gauge({
    name: 'edgewise_breaker_state',
    help: 'Whether a model is left alone: 0 closed, 1 half-open, 2 open.',
    labelNames: ['gen_ai_request_model'],
    registers,
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
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
