/** How long to wait before the next try. */

/** When a request is tried again, and when the client gives up. */
export interface RetryPolicy {
  /** Tries that may fail in a row before the client gives up. An event that arrives sets the count to 0. */
  attempts: number;
  /** Upper bound of the first wait, in milliseconds. It doubles with every failure. */
  firstMs: number;
  /** Upper bound of every wait, in milliseconds. */
  longestMs: number;
}

/**
 * Eight tries, with waits of at most 200 ms at first and 10 s at last: about 35 s in all.
 *
 * @example
 * import { createEdgewiseClient, defaultRetryPolicy } from '@edgewise/client';
 *
 * const client = createEdgewiseClient({
 *   baseUrl: 'https://chat.example.com',
 *   token: () => myToken,
 *   retry: { ...defaultRetryPolicy, attempts: 20 },
 * });
 */
export const defaultRetryPolicy: RetryPolicy = { attempts: 8, firstMs: 200, longestMs: 10_000 };

/**
 * Exponential backoff with full jitter: a random time below a limit that doubles, so that many clients that
 * lost the same server do not reconnect at the same moment.
 * @param failures How many tries failed before this one, from 0.
 */
export function backoffMs(
  failures: number,
  { firstMs, longestMs }: RetryPolicy,
  random: () => number,
): number {
  return random() * Math.min(longestMs, firstMs * 2 ** failures);
}
