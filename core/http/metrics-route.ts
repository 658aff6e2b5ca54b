import { createHash, timingSafeEqual } from 'node:crypto';
import { AppError } from '../../shared/errors.ts';
import type { CoreServices } from '../services.ts';
import type { CoreHandler } from './core-hono.ts';

/** `GET /metrics`, for who holds `EDGEWISE_METRICS_TOKEN`; where none is set there is nothing to read. */
export function metricsRoute({ config, metrics }: CoreServices): CoreHandler {
  return async function readMetrics(c) {
    const { metricsToken } = config;
    if (metricsToken === undefined) throw new AppError('route_not_found');
    const token = c.req.header('authorization')?.match(/^Bearer (\S+)$/)?.[1];
    if (token === undefined) throw new AppError('missing_token');
    if (!isSame(token, metricsToken)) throw new AppError('invalid_token');
    return c.body(await metrics.text(), 200, {
      'content-type': metrics.contentType,
      'cache-control': 'no-store',
    });
  };
}

/** In a time that tells nothing of either. */
function isSame(one: string, other: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}
