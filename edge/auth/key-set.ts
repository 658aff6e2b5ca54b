/**
 * The public keys of an identity provider (JWKS, RFC 7517), one set per isolate. jose fetches and holds the set; this
 * file owns when it is fetched: when it is old or a token names an unknown key, and not again within
 * {@link COOL_DOWN_MS} after a fetch succeeded or failed. The last good set serves while the provider is down.
 */
import {
  type CryptoKey,
  createRemoteJWKSet,
  customFetch,
  errors,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
} from 'jose';
import { AppError } from '../../shared/errors.ts';

export interface KeySetOptions {
  url: URL;
  fetch: typeof fetch;
  /** Unix time in milliseconds. */
  now: () => number;
  wait: (ms: number) => Promise<void>;
}

/** The key resolver that `jwtVerify` of jose takes. @throws AppError `keys_unavailable`; errors of jose for an unknown key */
export type FindKey = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;

const COOL_DOWN_MS = 30_000;
const FRESH_MS = 600_000;
const FETCH_TIMEOUT_MS = 5000;
const POLL_MS = 25;
/** A key set is a few kilobytes. */
const MAX_SET_CHARS = 256 * 1024;

export function createKeySet({ url, fetch: ask, now, wait }: KeySetOptions): FindKey {
  // jose measures age by the system clock; here the injected clock decides, so jose never reloads by itself.
  const keySet = createRemoteJWKSet(url, {
    timeoutDuration: FETCH_TIMEOUT_MS,
    cacheMaxAge: Number.POSITIVE_INFINITY,
    cooldownDuration: Number.POSITIVE_INFINITY,
    [customFetch]: async (address, init) => {
      const response = await ask(address, init);
      const text = await response.text();
      if (text.length > MAX_SET_CHARS) throw new RangeError('the key set is too large');
      return new Response(text, { status: response.status });
    },
  });
  let hasSet = false;
  let fetchedAtMs = Number.NEGATIVE_INFINITY;
  /** When a fetch last succeeded or failed. One that was cancelled with its request does neither. */
  let finishedAtMs = Number.NEGATIVE_INFINITY;
  /** A deadline and not a flag: a request that is cancelled in the middle of its fetch runs no `finally`. */
  let fetchingUntilMs = Number.NEGATIVE_INFINITY;

  async function renew(): Promise<void> {
    // One fetch at a time. Requests of one isolate may not share a promise, so the others poll.
    for (let waitedMs = 0; now() < fetchingUntilMs && waitedMs < FETCH_TIMEOUT_MS; waitedMs += POLL_MS)
      await wait(POLL_MS);
    if (now() - finishedAtMs < COOL_DOWN_MS) return;
    fetchingUntilMs = now() + FETCH_TIMEOUT_MS;
    try {
      await keySet.reload();
      hasSet = true;
      fetchedAtMs = now();
    } catch {
      // The last good set stays in use.
    }
    finishedAtMs = now();
    fetchingUntilMs = Number.NEGATIVE_INFINITY;
  }

  return async function findKey(header, token) {
    if (!hasSet || now() - fetchedAtMs > FRESH_MS) await renew();
    if (!hasSet) throw new AppError('keys_unavailable');
    try {
      return await keySet(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await renew();
      return keySet(header, token);
    }
  };
}
