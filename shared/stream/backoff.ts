/**
 * How long to wait before another try, and the one loop that tries again. Pure: clock and randomness come in.
 * By hand: retry libraries wrap a promise and set their own timers; a model is retried on the events of its stream.
 */

/** Milliseconds. */
export interface BackoffPolicy {
  /** Upper bound of the wait after the first failure; it doubles with each failure. */
  firstMs: number;
  /** Longest wait. */
  maxMs: number;
}

/**
 * Exponential backoff with full jitter: a random time up to a bound that doubles, so that many clients that failed
 * together do not come back together (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter).
 * @param failures How many tries have failed before this one, from 0
 * @param random From 0 to below 1
 * @returns whole milliseconds: stores keep times as integers
 */
export function backoffMs(failures: number, { firstMs, maxMs }: BackoffPolicy, random: () => number): number {
  return Math.round(random() * Math.min(maxMs, firstMs * 2 ** failures));
}

/**
 * The wait before another try: the upstream's `Retry-After` where it sent one, else a backoff.
 * @returns `undefined` when `Retry-After` is longer than the policy allows: the failure is then final
 */
export function retryDelayMs(
  { failures, retryAfterMs }: { failures: number; retryAfterMs?: number | undefined },
  policy: BackoffPolicy,
  random: () => number,
): number | undefined {
  if (retryAfterMs === undefined) return backoffMs(failures, policy, random);
  return retryAfterMs <= policy.maxMs ? retryAfterMs : undefined;
}

export interface RetryLoop {
  policy: BackoffPolicy;
  /** Tries besides the first one; without it, {@link untilMs} is the bound. */
  maxRetries?: number;
  /** Unix time in milliseconds after which no try begins. */
  untilMs?: number;
  /** @returns whether another try can help, and when the upstream wants it */
  canRetry?: (error: unknown) => boolean | { retryAfterMs: number | undefined };
  now: () => number;
  /** Resolves after that many milliseconds, or when the signal is aborted. */
  wait: (ms: number, signal?: AbortSignal) => Promise<void>;
  random: () => number;
  signal?: AbortSignal | undefined;
}

/** Runs `work` until it succeeds. @throws the last error, when there is no further try, also after an abort */
export async function retry<T>(work: (failures: number) => Promise<T>, loop: RetryLoop): Promise<T> {
  const { policy, maxRetries = Number.POSITIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY } = loop;
  const { canRetry = () => true, now, wait, random, signal } = loop;
  for (let failures = 0; ; failures++) {
    try {
      return await work(failures);
    } catch (error) {
      const verdict = failures < maxRetries && !signal?.aborted && canRetry(error);
      if (!verdict) throw error;
      const retryAfterMs = verdict === true ? undefined : verdict.retryAfterMs;
      const waitMs = retryDelayMs({ failures, retryAfterMs }, policy, random);
      if (waitMs === undefined || now() + waitMs >= untilMs) throw error;
      await wait(waitMs, signal);
      if (signal?.aborted) throw error;
    }
  }
}
