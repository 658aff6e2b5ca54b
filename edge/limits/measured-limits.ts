import type { Measurements } from '../observe/measurements.ts';
import type { Limits } from './limits.ts';

/** Limits whose decisions are counted, by the caller's plan. */
export function withMeasuredLimits(limits: Limits, measurements: Measurements, plan: string): Limits {
  const count = (outcome: string, limit = '') =>
    measurements.count('edgewise_limits_total', { outcome, limit, plan });
  return {
    async reserve(reservation) {
      try {
        const decision = await limits.reserve(reservation);
        if (decision.granted) count('granted');
        else count('refused', decision.name);
        return decision;
      } catch (error) {
        count('unavailable');
        throw error;
      }
    },
    settle: (settlement) => limits.settle(settlement),
  };
}
