/**
 * How much of what upstreams allow is taken. A minute is counted in slices, and what was taken in a slice leaks out
 * again when the slice is more than a minute old: so no minute of the upstream's own, wherever it begins, sees more than
 * the quota. Two implementations (memory, Redis), one contract suite (`quota-store.contract.ts`).
 * By hand: a call takes from several scopes and three limits in one atomic step and settles later; limiter libraries
 * take one key at a time.
 */

/** What an upstream key or model allows; what is left out is not limited. */
export interface QuotaLimits {
  requestsPerMinute?: number | undefined;
  tokensPerMinute?: number | undefined;
  turnsAtOnce?: number | undefined;
}

export interface QuotaScope {
  /** `provider:openai`, `model:gpt-5`. */
  name: string;
  limits: QuotaLimits;
}

export interface QuotaCall {
  id: string;
  /** All of them must have room, or nothing is taken. */
  scopes: readonly QuotaScope[];
  /** An estimate; what is more than a whole minute's quota counts as a minute's quota. */
  tokens: number;
  /** How long the turn counts as running when nobody settles it, in milliseconds. */
  holdMs: number;
}

/** @property atMs When it was taken, which settling needs. @property waitMs When to ask again, at the earliest. */
export type Taken = { granted: true; atMs: number } | { granted: false; waitMs: number };

export interface QuotaStore {
  take(call: QuotaCall): Promise<Taken>;
  /** Ends the turn and puts right what it took. @param tokens What was really used */
  settle(call: QuotaCall, atMs: number, tokens: number): Promise<void>;
  /** Nothing is taken from these scopes for so long: the upstream has said so itself. */
  block(scopes: readonly QuotaScope[], forMs: number): Promise<void>;
}

/** A minute has 60 slices; two more keep a distance to the upstream's clock and to the way there. */
export const SLICES_KEPT = 62;
export const SLICES_A_MINUTE = 60;
export const SLICE_MS = 1000;
/** Calls that may leave in one slice at least; more where a minute allows more than this many a second. */
export const BURST = 5;
/** How soon to ask again when only a running turn is in the way. */
export const TURN_WAIT_MS = 250;

/** Upstreams that allow 600 a minute may refuse 600 in one second (OpenAI, "Rate limits"). */
export function requestsPerSlice(perMinute: number): number {
  return Math.max(BURST, Math.ceil(perMinute / SLICES_A_MINUTE));
}
