/**
 * How often, how much at once and for how much somebody may ask: a reservation before the call, from an estimate,
 * and a settlement after it, from what was used. Two implementations (Durable Object, Redis), one contract suite.
 */
import type { LimitState } from '../../shared/limit-mark.ts';

/** One subject's limits; what is left out is not limited. */
export interface SubjectLimits {
  requestsPerMinute?: number;
  tokensPerMinute?: number;
  turnsAtOnce?: number;
  /** Millionths of a US dollar. Days and months are UTC's. */
  microsPerDay?: number;
  microsPerMonth?: number;
}

export interface Subject {
  /** `user:alice`, `key:key_1`, `tenant`; unique within the tenant. */
  name: string;
  limits: SubjectLimits;
}

export interface Reservation {
  /** The call's own; a second reservation with it is the first one. */
  id: string;
  tenant: string;
  /** All of them must have room, or none is charged. */
  subjects: Subject[];
  /** How many calls it is for. */
  requests: number;
  /** Of all of them together. */
  tokens: number;
  micros: number;
  /** How long the turn counts as running when nobody settles it, in milliseconds. */
  holdMs: number;
}

export type LimitName = 'requests' | 'tokens' | 'turns' | 'day' | 'month';

export type Decision =
  | { granted: true; requests?: LimitState; tokens?: LimitState }
  | { granted: false; subject: string; name: LimitName; state: LimitState; retryAfterMs: number };

export interface Settlement {
  id: string;
  tenant: string;
  /** What was really used; nothing for a call that came to nothing. */
  tokens: number;
  micros: number;
}

export interface Limits {
  /** @throws AppError `limits_unavailable`: what cannot be counted is not spent */
  reserve(reservation: Reservation): Promise<Decision>;
  /**
   * Idempotent; a reservation that is not known, or was settled, is left alone.
   * @returns `undefined` where no store is involved
   * @throws AppError `limits_unavailable`
   */
  settle(settlement: Settlement): Promise<void> | undefined;
}

/** Settles after the answer: nobody waits for it, and a reservation that cannot be settled expires. */
export function settleLater(
  { limits, defer }: { limits: Limits; defer: (work: Promise<unknown>) => void },
  settlement: Settlement,
): void {
  const settled = limits.settle(settlement);
  if (settled) defer(settled.catch(() => undefined));
}
