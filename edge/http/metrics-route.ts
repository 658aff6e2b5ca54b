import { AppError } from '../../shared/errors.ts';
import type { Measurements } from '../observe/measurements.ts';
import { metricsOf } from '../observe/metrics-object.ts';
import { METRICS_CONTENT_TYPE } from '../observe/metrics-text.ts';
import type { EdgeContext } from './edge-hono.ts';

export interface MetricsRouteOptions {
  metricsToken: string | undefined;
  measurements: Pick<Measurements, 'flush'>;
}

/** `GET /metrics`, with `EDGEWISE_METRICS_TOKEN` as the bearer token; 404 when no token is configured. */
export function metricsRoute({ metricsToken, measurements }: MetricsRouteOptions) {
  return async function readMetrics(c: EdgeContext): Promise<Response> {
    if (metricsToken === undefined) throw new AppError('route_not_found');
    const token = c.req.header('authorization')?.match(/^Bearer (\S+)$/)?.[1];
    if (token === undefined) throw new AppError('missing_token');
    if (!(await isSame(token, metricsToken))) throw new AppError('invalid_token');
    await measurements.flush();
    const text = await metricsOf(c.env).text();
    return new Response(text, {
      headers: { 'content-type': METRICS_CONTENT_TYPE, 'cache-control': 'no-store' },
    });
  };
}

/** Compares in constant time. */
async function isSame(one: string, other: string): Promise<boolean> {
  const hash = (text: string) => crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return crypto.subtle.timingSafeEqual(await hash(one), await hash(other));
}
