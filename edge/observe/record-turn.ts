/** What a turn came to, and its log line: numbers and names, nothing of what was said. */
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { TurnResult } from '../../shared/turn/turn-result.ts';
import { isLogged, logLine } from './log.ts';

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

export function answeredBy({
  model,
  route,
  cache,
}: Pick<TurnResult, 'model' | 'route' | 'cache'>): 'light' | 'heavy' | 'cache' | 'none' {
  if (cache && ['hit', 'semantic', 'coalesced'].includes(cache.outcome)) return 'cache';
  if (model === '') return 'none';
  return route?.place === 'edge' ? 'light' : 'heavy';
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
