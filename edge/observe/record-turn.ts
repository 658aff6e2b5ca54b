/** What a turn came to, as measurements and a log line: numbers and names, nothing of what was said. */
import type { RequestContext } from '../../shared/request-context.ts';
import type { TurnResult } from '../../shared/turn-result.ts';
import { isLogged, logLine } from './log.ts';
import type { Labels, Measurements } from './measurements.ts';

export interface EndedTurnFacts {
  turnId: string;
  result: TurnResult;
  /** The provider of the model that answered. */
  provider?: string | undefined;
  /** From asking the model to its first word, and to the end. */
  firstTokenMs?: number | undefined;
  durationMs: number;
  /** From a stop, or a reader that left, to the end of the model's call. */
  abortMs?: number | undefined;
}

export type Price = { input: number; output: number } | undefined;

const MILLION = 1_000_000;

export function answeredBy({
  model,
  route,
  cache,
}: Pick<TurnResult, 'model' | 'route' | 'cache'>): 'light' | 'heavy' | 'cache' | 'none' {
  if (cache && ['hit', 'semantic', 'coalesced'].includes(cache.outcome)) return 'cache';
  if (model === '') return 'none';
  return route?.place === 'edge' ? 'light' : 'heavy';
}

/** What of a turn is measured; nothing of what was said. */
export type MeasuredTurn = Omit<EndedTurnFacts, 'turnId' | 'result'> & {
  plan: string;
  result: Pick<TurnResult, 'usage' | 'error' | 'cache' | 'fallback' | 'model' | 'route'>;
};

export function toMeasuredTurn(
  { plan }: Pick<RequestContext, 'plan'>,
  { result, provider, firstTokenMs, durationMs, abortMs }: EndedTurnFacts,
): MeasuredTurn {
  const { usage, error, cache, fallback, model, route } = result;
  return {
    plan,
    result: { usage, error, cache, fallback, model, route } as MeasuredTurn['result'],
    provider,
    firstTokenMs,
    durationMs,
    abortMs,
  };
}

export function measureTurn(
  measurements: Measurements,
  { plan, result, provider = '', firstTokenMs, durationMs, abortMs }: MeasuredTurn,
  { price, times = 1 }: { price?: Price; times?: number },
): void {
  const { usage, error, cache, fallback, model } = result;
  const by = answeredBy(result);
  const labels: Labels = {
    gen_ai_operation_name: 'chat',
    gen_ai_provider_name: provider,
    gen_ai_request_model: model,
    edgewise_answered_by: by,
  };
  measurements.observe(
    'gen_ai_server_request_duration_seconds',
    { ...labels, error_type: error?.code ?? '' },
    durationMs / 1000,
    times,
  );
  if (cache) measurements.count('edgewise_cache_total', { outcome: cache.outcome }, times);
  if (fallback)
    measurements.count('edgewise_fallbacks_total', {
      from: fallback.from,
      to: model,
      reason: fallback.reason,
    });
  if (firstTokenMs !== undefined)
    measurements.observe('gen_ai_server_time_to_first_token_seconds', labels, firstTokenMs / 1000);
  if (abortMs !== undefined && (by === 'light' || by === 'heavy'))
    measurements.observe('edgewise_abort_to_upstream_seconds', { edgewise_answered_by: by }, abortMs / 1000);
  if (!usage) return;
  const rest = usage.outputTokens - 1;
  if (firstTokenMs !== undefined && rest > 0)
    measurements.observe(
      'gen_ai_server_time_per_output_token_seconds',
      labels,
      (durationMs - firstTokenMs) / 1000 / rest,
    );
  for (const [type, tokens] of [
    ['input', usage.inputTokens],
    ['output', usage.outputTokens],
  ] as const)
    measurements.observe('gen_ai_client_token_usage', { ...labels, gen_ai_token_type: type }, tokens, times);
  if (by !== 'cache' && price)
    measurements.count(
      'edgewise_cost_usd_total',
      { gen_ai_request_model: model, plan },
      (usage.inputTokens * price.input + usage.outputTokens * price.output) / MILLION,
    );
}

export function logTurn(
  { requestId, traceparent }: RequestContext,
  { turnId, result, provider, firstTokenMs, durationMs }: EndedTurnFacts,
): void {
  const { status, error, usage, cache, fallback, route, model } = result;
  const level = error && error.code !== 'cancelled' ? 'warn' : 'info';
  if (!isLogged(level)) return;
  logLine(level, 'turn', {
    'event.action': 'turn',
    'event.outcome': error ? 'failure' : 'success',
    'event.duration': toNanoseconds(durationMs),
    'http.request.id': requestId,
    'trace.id': traceparent?.split('-')[1],
    'error.code': error?.code,
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': provider,
    'gen_ai.response.model': model || undefined,
    'gen_ai.usage.input_tokens': usage?.inputTokens,
    'gen_ai.usage.output_tokens': usage?.outputTokens,
    edgewise: {
      turn_id: turnId,
      status,
      answered_by: answeredBy(result),
      route: route?.reason,
      cache: cache?.outcome,
      cache_reason: cache?.reason,
      fallback_from: fallback?.from,
      fallback_reason: fallback?.reason,
      first_token_ms: firstTokenMs,
    },
  });
}

/** ECS gives times in nanoseconds. */
export function toNanoseconds(ms: number): number {
  return Math.round(ms * 1_000_000);
}
