/** What an upstream says that a task has used, against what was sent and what came. The one place where it comes in. */
import { countFault, INPUT_SLACK_TOKENS, type RejectedCount } from '../../shared/model/usage-check.ts';

/** Ten pictures in the highest quality are 62,400 tokens, and may be answered with ten short addresses. */
export const TASK_SLACK_TOKENS = 65_536;

export interface TaskUsage extends Omit<RejectedCount, 'fault'> {
  /** What the upstream said, whatever it is. */
  said: unknown;
  sentBytes: number;
  receivedBytes: number;
  onRejected: (rejected: RejectedCount) => void;
}

/** @returns the count where it can be; `undefined` for one that was not said, or cannot be */
export function taskTokens(usage: TaskUsage): number | undefined {
  const { said, sentBytes, receivedBytes, onRejected, ...about } = usage;
  if (said === undefined) return undefined;
  const slack = about.tokenType === 'input' ? INPUT_SLACK_TOKENS : TASK_SLACK_TOKENS;
  const fault = countFault(said, { least: 1, most: sentBytes + receivedBytes + slack });
  if (fault === undefined) return said as number;
  onRejected({ ...about, fault });
  return undefined;
}
