/** A call that is no chat, under the caller's limits: reserved from an estimate, settled from what it used. */
import type { LimitMark } from '../../shared/limit-mark.ts';
import { settleLater } from './limits.ts';
import { toLimitError, type WithLimitsOptions } from './with-limits.ts';

export interface LimitedCall {
  limits: LimitMark;
  /** To be called once the answer is through. @param tokens What it used; the estimate where nobody says */
  settle(tokens: number | undefined): void;
}

/** @throws AppError `rate_limit_exceeded`, `insufficient_quota`, `limits_unavailable` */
export async function limitCall(
  estimatedTokens: number,
  { limits, id, tenant, subjects, price, holdMs, defer }: Omit<WithLimitsOptions, 'isReserved'>,
): Promise<LimitedCall> {
  const { input } = await price();
  const micros = Math.ceil(estimatedTokens * input);
  const decision = await limits.reserve({
    id,
    tenant,
    subjects,
    requests: 1,
    tokens: estimatedTokens,
    micros,
    holdMs,
  });
  if (!decision.granted) throw toLimitError(decision);
  const { granted: _, ...mark } = decision;
  return {
    limits: mark,
    settle(tokens = estimatedTokens) {
      settleLater({ limits, defer }, { id, tenant, tokens, micros: Math.ceil(tokens * input) });
    },
  };
}

/** One that nobody limits. */
export const unlimitedCall: LimitedCall = { limits: {}, settle: () => undefined };
