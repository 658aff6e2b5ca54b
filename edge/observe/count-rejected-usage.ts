import type { RejectedCount } from '../../shared/model/usage-check.ts';
import type { Measurements } from './measurements.ts';

/** Counts that a model at the edge said a number of tokens that cannot be. */
export function countRejectedUsage(
  measurements: Pick<Measurements, 'count'>,
  { model, operation, tokenType, fault }: RejectedCount,
): void {
  measurements.count('edgewise_usage_rejected_total', {
    gen_ai_operation_name: operation,
    gen_ai_request_model: model,
    gen_ai_token_type: tokenType,
    reason: fault,
  });
}
