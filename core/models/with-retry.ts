/**
 * Asks a model again when that can help, as long as it has not said anything: the one layer that retries. Waits with
 * full jitter, or as long as the upstream says, and never past the caller's deadline.
 */

import { AppError, type ErrorInfo } from '../../shared/errors.ts';
import {
  type ChatEvent,
  type ChatModel,
  type ChatStream,
  isTerminal,
} from '../../shared/model/chat-model.ts';
import { eventStream } from '../../shared/stream/event-stream.ts';

export interface RetryOptions {
  /** Calls besides the first one. */
  maxRetries: number;
  /** Longest wait for one more try, in milliseconds; what would take longer is a failure now. */
  maxWaitMs: number;
  /** Resolves after that many milliseconds, or when the signal is aborted. */
  wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** From 0 to below 1. */
  random: () => number;
}

const FIRST_WAIT_MS = 200;
/** Refused for a reason that a moment does not change, though a retry later may help. */
const patient: ReadonlySet<string> = new Set(['shutting_down', 'deadline_exceeded', 'model_busy']);

export function withRetry(model: ChatModel, options: RetryOptions): ChatModel {
  return {
    name: model.name,
    stream: (request, signal) =>
      eventStream(signal, async function* (inner) {
        for (let failures = 0; ; failures++) {
          const failure = yield* attempt(model.stream(request, inner));
          if (!failure) return;
          const waitMs = failures < options.maxRetries ? waitForRetry(failure, failures, options) : undefined;
          if (waitMs === undefined || inner.aborted) return yield { type: 'error', error: failure };
          await options.wait(waitMs, inner);
          if (inner.aborted) return yield { type: 'error', error: new AppError('cancelled').toInfo() };
        }
      }),
  };
}

/** Relays an answer from its first word on. @returns the error of one that failed before it */
async function* attempt(events: ChatStream): AsyncGenerator<ChatEvent, ErrorInfo | undefined, void> {
  const held: ChatEvent[] = [];
  let hasBegun = false;
  for await (const event of events) {
    if (!hasBegun && event.type === 'error') return event.error;
    hasBegun ||= isTerminal(event) || event.type.endsWith('-delta');
    if (!hasBegun) {
      held.push(event);
      continue;
    }
    yield* held.splice(0);
    yield event;
  }
  return undefined;
}

/** @returns how long to wait; `undefined` when another try is of no use */
export function waitForRetry(
  { code, retryable, retryAfterMs }: ErrorInfo,
  failures: number,
  { maxWaitMs, random }: Pick<RetryOptions, 'maxWaitMs' | 'random'>,
): number | undefined {
  if (!retryable || patient.has(code)) return undefined;
  if (retryAfterMs !== undefined) return retryAfterMs <= maxWaitMs ? retryAfterMs : undefined;
  return random() * Math.min(maxWaitMs, FIRST_WAIT_MS * 2 ** failures);
}
