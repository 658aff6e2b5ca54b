/** What is left of a caller's limits, sent with an answer and with a refusal. */
export interface LimitState {
  limit: number;
  remaining: number;
  /** Until it is whole again, in milliseconds. */
  resetMs: number;
}

export interface LimitMark {
  requests?: LimitState;
  tokens?: LimitState;
}

/** A mark from the outside (another process): what does not fit is left out. */
export function parseLimitMark(value: unknown): LimitMark | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { requests, tokens } = value as Record<keyof LimitMark, unknown>;
  const mark = { ...(isState(requests) && { requests }), ...(isState(tokens) && { tokens }) };
  return Object.keys(mark).length > 0 ? mark : undefined;
}

function isState(value: unknown): value is LimitState {
  const { limit, remaining, resetMs } = (value ?? {}) as Partial<Record<keyof LimitState, unknown>>;
  return [limit, remaining, resetMs].every((number) => typeof number === 'number' && Number.isFinite(number));
}
