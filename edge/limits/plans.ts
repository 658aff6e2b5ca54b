/**
 * What each plan allows, as data: for one user, for one API key, and for the whole tenant. What is left out is not
 * limited. `EDGEWISE_PLANS` (JSON of this form) replaces plans by name.
 */
import * as v from 'valibot';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { Subject, SubjectLimits } from './limits.ts';

const amount = v.optional(v.pipe(v.number('must be a number'), v.minValue(0, 'must be at least 0')));
const writtenSchema = v.strictObject({
  requests_per_minute: amount,
  tokens_per_minute: amount,
  turns_at_once: amount,
  usd_per_day: amount,
  usd_per_month: amount,
});
const limitsSchema = v.optional(v.pipe(writtenSchema, v.transform(toLimits)), {});
const planSchema = v.strictObject({ user: limitsSchema, key: limitsSchema, tenant: limitsSchema });
const plansSchema = v.record(v.string(), planSchema);
export type Plans = v.InferOutput<typeof plansSchema>;

const MICROS = 1_000_000;

function toLimits(plan: v.InferOutput<typeof writtenSchema>): SubjectLimits {
  const { requests_per_minute, tokens_per_minute, turns_at_once, usd_per_day, usd_per_month } = plan;
  return {
    ...(requests_per_minute !== undefined && { requestsPerMinute: requests_per_minute }),
    ...(tokens_per_minute !== undefined && { tokensPerMinute: tokens_per_minute }),
    ...(turns_at_once !== undefined && { turnsAtOnce: turns_at_once }),
    ...(usd_per_day !== undefined && { microsPerDay: Math.round(usd_per_day * MICROS) }),
    ...(usd_per_month !== undefined && { microsPerMonth: Math.round(usd_per_month * MICROS) }),
  };
}

/** The plan of a token that names none that is here. */
const USUAL_PLAN = 'free';

export const usualPlans: Plans = v.parse(plansSchema, {
  guest: {
    user: { requests_per_minute: 10, tokens_per_minute: 20_000, turns_at_once: 2, usd_per_day: 0.1 },
    key: {},
    tenant: { requests_per_minute: 600, usd_per_day: 20 },
  },
  free: {
    user: {
      requests_per_minute: 60,
      tokens_per_minute: 100_000,
      turns_at_once: 8,
      usd_per_day: 1,
      usd_per_month: 10,
    },
    key: { requests_per_minute: 300, tokens_per_minute: 500_000, turns_at_once: 32 },
    tenant: { requests_per_minute: 3000, usd_per_month: 200 },
  },
  pro: {
    user: { requests_per_minute: 600, tokens_per_minute: 1_000_000, turns_at_once: 32, usd_per_month: 200 },
    key: { requests_per_minute: 6000, tokens_per_minute: 10_000_000, turns_at_once: 400 },
    tenant: { requests_per_minute: 60_000, usd_per_month: 20_000 },
  },
  unlimited: { user: {}, key: {}, tenant: {} },
});

/** @returns `undefined` when the text holds no plans */
export function parsePlans(text: string): Plans | undefined {
  try {
    const parsed = v.safeParse(plansSchema, JSON.parse(text));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

/** The plan of guests, who need no account. */
export const GUEST_PLAN = 'guest';

/**
 * Whose limits a call counts against: the user, the key where there is one, the tenant. All guests of a tenant share a meter
 * of their own, so that they cannot use up what its users may.
 */
export function subjectsOf(plans: Plans, { user, keyId, plan: name }: RequestContext): Subject[] {
  const plan = (Object.hasOwn(plans, name) ? plans[name] : plans[USUAL_PLAN]) ?? usualPlans.free;
  if (!plan) return [];
  return [
    { name: `user:${user}`, limits: plan.user },
    ...(keyId === undefined ? [] : [{ name: `key:${keyId}`, limits: plan.key }]),
    { name: name === GUEST_PLAN && keyId === undefined ? 'guests' : 'tenant', limits: plan.tenant },
  ];
}
