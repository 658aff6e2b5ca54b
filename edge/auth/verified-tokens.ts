/**
 * Tokens that were verified a moment ago: a request that comes with one again needs no signature checked. Owns the
 * copies, per isolate; none outlives its token, or {@link LONGEST_STAY_MS}.
 */
import QuickLRU from 'quick-lru';
import type { Caller, TokenVerifier } from './token-verifier.ts';

const MAX_TOKENS = 5000;
const LONGEST_STAY_MS = 60_000;

/** @param now Unix time in milliseconds */
export function withVerifiedTokens(verify: TokenVerifier, now: () => number): TokenVerifier {
  const known = new QuickLRU<string, { caller: Caller; untilMs: number }>({ maxSize: MAX_TOKENS });

  return async function verifyToken(token) {
    const copy = token === undefined ? undefined : known.get(token);
    if (copy && copy.untilMs > now()) return copy.caller;
    const caller = await verify(token);
    const untilMs = Math.min(now() + LONGEST_STAY_MS, caller.expiresAtMs);
    if (token !== undefined) known.set(token, { caller, untilMs });
    return caller;
  };
}
