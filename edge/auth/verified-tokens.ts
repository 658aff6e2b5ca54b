/**
 * Tokens that were verified a moment ago: a request that comes with one again needs no signature checked. Owns the
 * copies, per isolate; none outlives its token, or {@link LONGEST_STAY_MS}.
 */
import { LRUCache } from 'lru-cache';
import type { Caller, TokenVerifier } from './token-verifier.ts';

const MAX_TOKENS = 5000;
const LONGEST_STAY_MS = 60_000;

/** @param now Unix time in milliseconds */
export function withVerifiedTokens(verify: TokenVerifier, now: () => number): TokenVerifier {
  const callers = new LRUCache<string, Caller>({
    max: MAX_TOKENS,
    ttl: LONGEST_STAY_MS,
    perf: { now },
    // The library would keep the time until a timer fires, and a Worker's timers end with their request.
    ttlResolution: 0,
  });

  return async function verifyToken(token) {
    const known = token === undefined ? undefined : callers.get(token);
    if (known && known.expiresAtMs > now()) return known;
    const caller = await verify(token);
    if (token !== undefined) callers.set(token, caller);
    return caller;
  };
}
