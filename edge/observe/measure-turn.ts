/** What a turn came to, as measurements. */
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { TurnResult } from '../../shared/turn/turn-result.ts';
import { heldSeries } from './held-series.ts';
import type { Labels, Measurements } from './measurements.ts';
import { answeredBy, type EndedTurnFacts } from './record-turn.ts';

export type Price = { input: number; output: number } | undefined;

const MILLION = 1_000_000;

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

export type MeasureTurn = (turn: MeasuredTurn, more: { price?: Price; times?: number }) => void;

export function createMeasureTurn(measurements: Measurements): MeasureTurn {
  const seriesOf = heldSeries((model: string, provider: string, by: string, error: string, plan: string) => {
    const labels: Labels = {
      gen_ai_operation_name: 'chat',
      gen_ai_provider_name: provider,
      gen_ai_request_model: model,
      edgewise_answered_by: by,
    };
    const tokens = (type: string) =>
      measurements.of('gen_ai_client_token_usage', { ...labels, gen_ai_token_type: type });
    return {
      duration: measurements.of('gen_ai_server_request_duration_seconds', { ...labels, error_type: error }),
      firstToken: measurements.of('gen_ai_server_time_to_first_token_seconds', labels),
      perToken: measurements.of('gen_ai_server_time_per_output_token_seconds', labels),
      input: tokens('input'),
      output: tokens('output'),
      cost: measurements.of('edgewise_cost_usd_total', { gen_ai_request_model: model, plan }),
    };
  });

  return function measureTurn(
    { plan, result, provider = '', firstTokenMs, durationMs, abortMs },
    { price, times = 1 },
  ) {
    const { usage, error, cache, fallback, model } = result;
    const by = answeredBy(result);
    const series = seriesOf(model, provider, by, error?.code ?? '', plan);
    series.duration.observe(durationMs / 1000, times);
    if (cache) measurements.count('edgewise_cache_total', { outcome: cache.outcome }, times);
    if (fallback)
      measurements.count('edgewise_fallbacks_total', {
        from: fallback.from,
        to: model,
        reason: fallback.reason,
      });
    if (firstTokenMs !== undefined) series.firstToken.observe(firstTokenMs / 1000);
    if (abortMs !== undefined && (by === 'light' || by === 'heavy'))
      measurements.observe(
        'edgewise_abort_to_upstream_seconds',
        { edgewise_answered_by: by },
        abortMs / 1000,
      );
    if (!usage) return;
    const { inputTokens, outputTokens } = usage;
    if (firstTokenMs !== undefined && outputTokens > 1)
      series.perToken.observe((durationMs - firstTokenMs) / 1000 / (outputTokens - 1));
    series.input.observe(inputTokens, times);
    series.output.observe(outputTokens, times);
    if (by !== 'cache' && price)
      series.cost.count((inputTokens * price.input + outputTokens * price.output) / MILLION);
  };
}
