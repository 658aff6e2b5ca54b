/** What a turn came to, as its logged events say. */
import { AppError } from '../../shared/errors.ts';
import { noUsage } from '../../shared/turn/turn-events.ts';
import { emptyTurnResult, foldTurnEvent, type TurnResult, turnText } from '../../shared/turn/turn-result.ts';
import type { StopOutcome } from './session-stub.ts';
import type { TurnLog } from './turn-log.ts';

export function loggedResult(log: TurnLog, turnId: string): TurnResult {
  const result = emptyTurnResult();
  for (const { event } of log.readAll(turnId).events) foldTurnEvent(result, event);
  return result;
}

/** @throws AppError `turn_not_found` */
export function loggedOutcome(log: TurnLog, turnId: string): StopOutcome {
  const row = log.find(turnId);
  if (!row) throw new AppError('turn_not_found');
  const result = loggedResult(log, turnId);
  return {
    turnId,
    status: row.status === 'cancelled' ? 'cancelled' : 'finished',
    text: turnText(result, 'text'),
    usage: result.usage ?? noUsage,
  };
}
