import { checkReadiness, type Readiness } from '../../shared/protocol/readiness.ts';
import type { CoreReadiness } from '../core-client/core-readiness.ts';
import type { EdgeContext } from './edge-hono.ts';

export interface ReadyRouteOptions {
  coreReadiness: CoreReadiness;
  /** Resolves when Redis answers; none where Redis is not configured. */
  pingRedis: (() => Promise<void>) | undefined;
  /** Resolves when a Durable Object has written to its storage. */
  writeToStorage: () => Promise<void>;
  now: () => number;
}

/** Anybody may ask: the checks run at most once in this time. */
const FRESH_MS = 1000;

/**
 * `GET /readyz`: 200 when a prompt can be answered and kept, else 503 with the checks that fail. It proves the signature
 * and the clocks between edge and core, the core's database and disk, and the edge's own stores. `GET /healthz` only says
 * that the edge runs.
 */
export function readyRoute({ coreReadiness, pingRedis, writeToStorage, now }: ReadyRouteOptions) {
  let latest: { atMs: number; result: Readiness } | undefined;
  return async function checkReady(c: EdgeContext): Promise<Response> {
    if (!latest || now() - latest.atMs > FRESH_MS) {
      const { status, checks } = await coreReadiness();
      const own = await checkReadiness({
        storage: () => writeToStorage().then(() => 'ok'),
        ...(pingRedis && { redis: () => pingRedis().then(() => 'ok') }),
      });
      // Only a finished result is kept: requests may not share a promise.
      latest = {
        atMs: now(),
        result: {
          status: status === 'ready' && own.status === 'ready' ? 'ready' : 'not_ready',
          checks: { ...own.checks, ...checks },
        },
      };
    }
    const { result } = latest;
    return c.json(result, result.status === 'ready' ? 200 : 503, { 'cache-control': 'no-store' });
  };
}
