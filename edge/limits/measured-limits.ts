import type { Measurement, Measurements } from '../observe/measurements.ts';
import type { Limits } from './limits.ts';

/** Limits whose decisions are counted, by the caller's plan. */
export function createMeasuredLimits(limits: Limits, measurements: Measurements): (plan: string) => Limits {
  const byPlan = new Map<string, Limits>();
  return function ofPlan(plan) {
    let measured = byPlan.get(plan);
    if (!measured) {
      measured = withCounts(limits, (outcome, limit = '') =>
        measurements.of('edgewise_limits_total', { outcome, limit, plan }),
      );
      byPlan.set(plan, measured);
    }
    return measured;
  };
}

function withCounts(limits: Limits, counter: (outcome: string, limit?: string) => Measurement): Limits {
  const granted = counter('granted');
  return {
    async reserve(reservation) {
      try {
        const decision = await limits.reserve(reservation);
        (decision.granted ? granted : counter('refused', decision.name)).count();
        return decision;
      } catch (error) {
        counter('unavailable').count();
        throw error;
      }
    },
    settle: (settlement) => limits.settle(settlement),
  };
}
