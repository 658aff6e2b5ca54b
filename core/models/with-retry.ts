/**
 * Asks a model again when that can help, as long as it has not said anything: the one layer that retries. Waits with
 * full jitter, or as long as the upstream says, and never past the caller's deadline or the ladder's time.
 */
import { AppError, type ErrorInfo } from '../../shared/errors.ts';
import { type ChatEvent, type ChatModel, isTerminal } from '../../shared/model/chat-model.ts';
import type { InnerBatches } from '../../shared/model/event-stream.ts';
import { layer } from '../../shared/model/layer.ts';
import { canRetrySoon } from '../../shared/model/upstream-errors.ts';
import { retryDelayMs } from '../../shared/stream/backoff.ts';

export interface RetryOptions {
  /** Calls besides the first one. */
  maxRetries: number;
  /** Longest wait for one more try, in milliseconds; what would take longer is a failure now. */
  maxWaitMs: number;
  /** Resolves after that many milliseconds, or when the signal is aborted. */
  wait: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** From 0 to below 1. */
  random: () => number;
}

/** Upper bound of the first wait, in milliseconds. */
export const FIRST_RETRY_WAIT_MS = 200;

export function withRetry(model: ChatModel, options: RetryOptions): ChatModel {
  const { maxRetries, maxWaitMs, wait, random } = options;
  const policy = { firstMs: FIRST_RETRY_WAIT_MS, maxMs: maxWaitMs };
  return layer(model, async function* (call) {
    for (let failures = 0; ; failures++) {
      const failure = yield* attempt(call.read(model.stream(call.request, call.signal)));
      if (!failure) return;
      const { retryAfterMs } = failure;
      const waitMs =
        failures < maxRetries && canRetrySoon(failure)
          ? retryDelayMs({ failures, retryAfterMs }, policy, random)
          : undefined;
      const budget = call.request.firstTokenBudget;
      const isLate = budget !== undefined && (waitMs ?? 0) >= budget.leftMs;
      if (waitMs === undefined || isLate || call.signal.aborted)
        return yield [{ type: 'error', error: failure }];
      await wait(waitMs, call.leaving);
      if (budget) budget.leftMs -= waitMs;
      if (call.leaving.aborted) return yield [{ type: 'error', error: new AppError('cancelled').toInfo() }];
    }
  });
}

/** Relays an answer from its first word on. @returns the error of one that failed before it */
async function* attempt(batches: InnerBatches): AsyncGenerator<ChatEvent[], ErrorInfo | undefined, void> {
  let held: ChatEvent[] = [];
  let hasBegun = false;
  for await (const events of batches) {
    if (hasBegun) {
      yield events;
      continue;
    }
    for (const event of events) {
      if (event.type === 'error' && !hasBegun) return event.error;
      hasBegun ||= isTerminal(event) || event.type.endsWith('-delta');
    }
    held.push(...events);
    if (!hasBegun) continue;
    yield held;
    held = [];
  }
  return undefined;
}
