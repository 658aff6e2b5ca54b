/**
 * The arithmetic of one subject's limits, over plain state. Requests and tokens are leaky buckets in the form of the
 * generic cell rate algorithm (ITU-T I.371): one time says how full the bucket is. Pure; O(1).
 */
import type { LimitState } from '../../shared/limit-mark.ts';
import type { LimitName, SubjectLimits } from './limits.ts';

export interface MeterState {
  /** When the bucket will be empty, Unix time in milliseconds. */
  requestsEmptyAtMs: number;
  tokensEmptyAtMs: number;
  /** The period that was spent in, and how much: `2026-11-21`, `2026-11`. */
  day: string;
  dayMicros: number;
  month: string;
  monthMicros: number;
}

export const emptyMeter: MeterState = {
  requestsEmptyAtMs: 0,
  tokensEmptyAtMs: 0,
  day: '',
  dayMicros: 0,
  month: '',
  monthMicros: 0,
};

export interface Charge {
  requests: number;
  tokens: number;
  micros: number;
}

export interface Refusal {
  name: LimitName;
  state: LimitState;
  retryAfterMs: number;
}

const MINUTE_MS = 60_000;

/** The state in the period of that time. */
export function atTime(state: MeterState, nowMs: number): MeterState {
  const date = new Date(nowMs).toISOString();
  const [day, month] = [date.slice(0, 10), date.slice(0, 7)];
  return {
    ...state,
    ...(state.day !== day && { day, dayMicros: 0 }),
    ...(state.month !== month && { month, monthMicros: 0 }),
  };
}

/** The first limit that has no room for the charge. @param running Turns that run now. */
export function refusalOf(
  state: MeterState,
  limits: SubjectLimits,
  { requests, tokens, micros }: Charge,
  running: number,
  nowMs: number,
): Refusal | undefined {
  const { requestsPerMinute, tokensPerMinute, turnsAtOnce, microsPerDay, microsPerMonth } = limits;
  if (microsPerMonth !== undefined && state.monthMicros + micros > microsPerMonth)
    return spent('month', microsPerMonth, state.monthMicros, endOfMonthMs(nowMs) - nowMs);
  if (microsPerDay !== undefined && state.dayMicros + micros > microsPerDay)
    return spent('day', microsPerDay, state.dayMicros, endOfDayMs(nowMs) - nowMs);
  if (turnsAtOnce !== undefined && running >= turnsAtOnce)
    return { name: 'turns', state: { limit: turnsAtOnce, remaining: 0, resetMs: 1000 }, retryAfterMs: 1000 };
  if (requestsPerMinute !== undefined) {
    const waitMs = waitFor(state.requestsEmptyAtMs, requestsPerMinute, requests, nowMs);
    if (waitMs > 0)
      return {
        name: 'requests',
        state: bucketState(state.requestsEmptyAtMs, requestsPerMinute, nowMs),
        retryAfterMs: waitMs,
      };
  }
  if (tokensPerMinute !== undefined) {
    const waitMs = waitFor(state.tokensEmptyAtMs, tokensPerMinute, tokens, nowMs);
    if (waitMs > 0)
      return {
        name: 'tokens',
        state: bucketState(state.tokensEmptyAtMs, tokensPerMinute, nowMs),
        retryAfterMs: waitMs,
      };
  }
  return undefined;
}

/** Puts a charge on the meter; what is put right afterwards may be negative. */
export function charged(
  state: MeterState,
  limits: SubjectLimits,
  { requests, tokens, micros }: Charge,
  nowMs: number,
): MeterState {
  return {
    ...state,
    requestsEmptyAtMs: filled(state.requestsEmptyAtMs, limits.requestsPerMinute, requests, nowMs),
    tokensEmptyAtMs: filled(state.tokensEmptyAtMs, limits.tokensPerMinute, tokens, nowMs),
    dayMicros: Math.max(0, state.dayMicros + micros),
    monthMicros: Math.max(0, state.monthMicros + micros),
  };
}

export function bucketState(emptyAtMs: number, perMinute: number, nowMs: number): LimitState {
  const resetMs = Math.max(0, emptyAtMs - nowMs);
  const remaining = Math.max(0, Math.floor(perMinute - (resetMs * perMinute) / MINUTE_MS));
  return { limit: perMinute, remaining, resetMs: Math.ceil(resetMs) };
}

/** A bucket that is empty takes one charge of any size: what is larger than the bucket would wait for ever. */
function waitFor(emptyAtMs: number, perMinute: number, amount: number, nowMs: number): number {
  const full = Math.max(0, emptyAtMs - nowMs);
  if (full === 0) return 0;
  const over = full + (amount * MINUTE_MS) / perMinute - MINUTE_MS;
  // What is lost in rounding is less than a microsecond.
  return over > 1e-3 ? Math.ceil(Math.min(over, full)) : 0;
}

function filled(emptyAtMs: number, perMinute: number | undefined, amount: number, nowMs: number): number {
  if (perMinute === undefined || amount === 0) return emptyAtMs;
  return Math.max(emptyAtMs, nowMs) + (amount * MINUTE_MS) / perMinute;
}

function spent(name: LimitName, limit: number, used: number, resetMs: number): Refusal {
  return { name, state: { limit, remaining: Math.max(0, limit - used), resetMs }, retryAfterMs: resetMs };
}

function endOfDayMs(nowMs: number): number {
  return new Date(nowMs).setUTCHours(24, 0, 0, 0);
}

function endOfMonthMs(nowMs: number): number {
  const date = new Date(nowMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
}
