/**
 * A task's way down its ladder: the targets in their order, each when its breaker and its quota let it, asked again where
 * that can help, and the next one before the first byte of an answer.
 */
import { AppError, toAppError } from '../../shared/errors.ts';
import { canRetrySoon, failureRule, upstreamPauseMs } from '../../shared/model/upstream-errors.ts';
import type { RejectedCount } from '../../shared/model/usage-check.ts';
import type { Task } from '../../shared/protocol/task-protocol.ts';
import { retry } from '../../shared/stream/backoff.ts';
import type { Caller } from '../models/caller.ts';
import type { TargetModel } from '../models/target-model.ts';
import { FIRST_RETRY_WAIT_MS, type RetryOptions } from '../models/with-retry.ts';
import type { Quota } from '../quota/quota.ts';
import { callTask, type TaskBody } from './task-call.ts';

export interface TaskDispatchOptions {
  quota: Quota;
  retry: Omit<RetryOptions, 'maxRetries' | 'maxWaitMs'>;
  /** Told of each count of tokens that an upstream cannot mean. */
  onUsageRejected: (rejected: RejectedCount) => void;
  fetch: typeof fetch;
  now: () => number;
  newId: () => string;
}

export interface TaskRequest {
  task: Task;
  body: TaskBody;
  /** An estimate, for the quota. */
  tokens: number;
}

/** An answer whose bytes may still be on their way. */
export interface TaskAnswer {
  response: Response;
  /** Which model answers. */
  model: string;
  /** To be called once, when the answer is through or given up: what it used, where that is known. */
  settle(usedTokens: number | undefined): void;
}

/** Longest pause before one more try, in milliseconds. */
const MAX_WAIT_MS = 5000;

/** @throws AppError the last target's failure */
export async function dispatchTask(
  request: TaskRequest,
  targets: readonly { target: TargetModel; untilMs: number }[],
  { caller, maxRetries, signal }: { caller: Caller; maxRetries: number; signal: AbortSignal },
  options: TaskDispatchOptions,
): Promise<TaskAnswer> {
  let failure = new AppError('model_not_found', { param: 'model' });
  for (const { target, untilMs } of targets) {
    try {
      return await retry(() => callOnce(request, target, { caller, untilMs, signal }, options), {
        policy: { firstMs: FIRST_RETRY_WAIT_MS, maxMs: MAX_WAIT_MS },
        maxRetries,
        canRetry(thrown) {
          const error = toAppError(thrown);
          return canRetrySoon(error) && { retryAfterMs: error.retryAfterMs };
        },
        ...options.retry,
        now: options.now,
        signal,
      });
    } catch (thrown) {
      failure = toAppError(thrown);
    }
    if (signal.aborted) throw new AppError('cancelled');
    if (!failureRule(failure.code).stepsDown) break;
  }
  throw failure;
}

async function callOnce(
  { task, body, tokens }: TaskRequest,
  { target, breaker, scopes }: TargetModel,
  { caller, untilMs, signal }: { caller: Caller; untilMs: number; signal: AbortSignal },
  { quota, fetch, newId }: TaskDispatchOptions,
): Promise<TaskAnswer> {
  const call = await breaker.enter();
  try {
    const { tenant, priority } = caller;
    const holdMs = target.timeLimits.totalMs;
    const wanted = { id: newId(), scopes, tokens, holdMs, tenant, priority, untilMs };
    const admission = scopes.length === 0 ? undefined : await quota.admit(wanted, signal);
    try {
      const response = await callTask(task, body, target, { signal, fetch });
      call.end('good');
      return { response, model: target.name, settle: (used) => admission?.settle(used ?? tokens) };
    } catch (error) {
      const pauseMs = upstreamPauseMs(toAppError(error));
      if (pauseMs !== undefined) admission?.block(pauseMs);
      // Who leaves may have had the work done.
      admission?.settle(signal.aborted ? tokens : 0);
      throw error;
    }
  } catch (error) {
    call.end(failureRule(toAppError(error).code).breaker);
    throw error;
  }
}
