/**
 * Tokens that were verified a moment ago: a request that comes with one again needs no signature checked. Owns the
 * copies, per isolate; none outlives its token, or {@link LONGEST_STAY_MS}.
 */
import { createLruCache } from '../../shared/lru-cache.ts';
import type { Caller, TokenVerifier } from './token-verifier.ts';

const MAX_TOKENS = 5000;
const LONGEST_STAY_MS = 60_000;

/** @param now Unix time in milliseconds */
export function withVerifiedTokens(verify: TokenVerifier, now: () => number): TokenVerifier {
  const callers = createLruCache<Caller>({ maxEntries: MAX_TOKENS, now });

  return async function verifyToken(token) {
    const known = token === undefined ? undefined : callers.get(token);
    if (known && known.expiresAtMs > now()) return known;
    const caller = await verify(token);
    if (token !== undefined) callers.set(token, caller, LONGEST_STAY_MS);
    return caller;
  };
}
