/** Upstash Redis over HTTP, as every store of the edge uses it. */
import { Redis } from '@upstash/redis/cloudflare';

export interface RedisAddress {
  url: string;
  token: string;
}

/** A store that does not answer within this time is unavailable, in milliseconds. */
const CALL_TIMEOUT_MS = 3000;

/**
 * A client without retries, which belong to the caller, and with a time limit for each call.
 * @param decodes Whether results are parsed as JSON; without it they are the stored text
 */
export function connectRedis({ url, token }: RedisAddress, { decodes = false } = {}): Redis {
  return new Redis({
    url,
    token,
    automaticDeserialization: decodes,
    retry: false,
    enableTelemetry: false,
    // With a function the client throws after the time; with a signal it would return "Aborted" as a result.
    signal: () => AbortSignal.timeout(CALL_TIMEOUT_MS),
  });
}
