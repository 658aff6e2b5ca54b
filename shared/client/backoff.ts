/** How long to wait before trying again. */

export interface RetryPolicy {
  /** Failures in a row after which it is given up. */
  attempts: number;
  firstMs: number;
  longestMs: number;
}

export const usualRetryPolicy: RetryPolicy = { attempts: 8, firstMs: 200, longestMs: 10_000 };

/**
 * Exponential backoff with full jitter: a random time up to a limit that doubles, so that many clients that
 * lost the same server do not come back as one.
 * @param failures How many there were before this one, from 0.
 */
export function backoffMs(
  failures: number,
  { firstMs, longestMs }: RetryPolicy,
  random: () => number,
): number {
  return random() * Math.min(longestMs, firstMs * 2 ** failures);
}
