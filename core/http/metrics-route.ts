import { timingSafeEqual } from 'node:crypto';
import { AppError } from '../../shared/errors.ts';
import { sha256 } from '../../shared/hash.ts';
import type { CoreConfig } from '../env.ts';
import type { CoreMetrics } from '../observe/metrics.ts';
import type { CoreHandler } from './core-hono.ts';

/** `GET /metrics`, with `EDGEWISE_METRICS_TOKEN` as the bearer token; 404 where none is set. */
export function metricsRoute({ config, metrics }: { config: CoreConfig; metrics: CoreMetrics }): CoreHandler {
  return async function readMetrics(c) {
    const { metricsToken } = config;
    if (metricsToken === undefined) throw new AppError('route_not_found');
    const token = c.req.header('authorization')?.match(/^Bearer (\S+)$/)?.[1];
    if (token === undefined) throw new AppError('missing_token');
    if (!(await isSame(token, metricsToken))) throw new AppError('invalid_token');
    return c.body(await metrics.text(), 200, {
      'content-type': metrics.contentType,
      'cache-control': 'no-store',
    });
  };
}

/** In constant time: the hashes have one length, whatever the texts have. */
async function isSame(one: string, other: string): Promise<boolean> {
  return timingSafeEqual(await sha256(one), await sha256(other));
}
