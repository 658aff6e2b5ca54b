/**
 * The public keys of an identity provider (JWKS, RFC 7517), one set per isolate. Owns the set: fetched again when
 * it is old, or when a token names a key that is not in it, and never more often than every {@link COOL_DOWN_MS},
 * whatever tokens are sent. The last good set serves while the provider is away.
 */
import {
  type CryptoKey,
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
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

/** As `jwtVerify` of jose wants it. @throws AppError `keys_unavailable`; errors of jose for a key that is not there */
export type FindKey = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;

const COOL_DOWN_MS = 30_000;
const FRESH_MS = 600_000;
const FETCH_TIMEOUT_MS = 5000;
const POLL_MS = 25;
/** A key set is a few kilobytes. */
const MAX_SET_CHARS = 256 * 1024;

export function createKeySet({ url, fetch: ask, now, wait }: KeySetOptions): FindKey {
  let find: ReturnType<typeof createLocalJWKSet> | undefined;
  let fetchedAtMs = Number.NEGATIVE_INFINITY;
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let isFetching = false;

  async function renew(): Promise<void> {
    if (isFetching) return join();
    if (now() - triedAtMs < COOL_DOWN_MS) return;
    triedAtMs = now();
    isFetching = true;
    try {
      const response = await ask(url, {
        headers: { accept: 'application/json' },
        // The platform knows no 'error' here; an answer that points elsewhere is none.
        redirect: 'manual',
        signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
      });
      const text = await response.text();
      if (!response.ok || text.length > MAX_SET_CHARS) return;
      find = createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
      fetchedAtMs = now();
    } catch {
      // The set that is here serves on.
    } finally {
      isFetching = false;
    }
  }

  /** Requests of one isolate may not wait for one promise, so the others look now and then. */
  async function join(): Promise<void> {
    for (let waitedMs = 0; isFetching && waitedMs < FETCH_TIMEOUT_MS; waitedMs += POLL_MS)
      await wait(POLL_MS);
  }

  return async function findKey(header, token) {
    if (!find || now() - fetchedAtMs > FRESH_MS) await renew();
    if (!find) throw new AppError('keys_unavailable');
    try {
      return await find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await renew();
      return find(header, token);
    }
  };
}
