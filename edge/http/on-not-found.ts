/** Distinguishes an unknown address from an unsupported method, by the router's own matches. */
import type { Hono } from 'hono';
import { AppError } from '../../shared/errors.ts';
import type { EdgeContext, EdgeHono } from './edge-hono.ts';
import { onError } from './on-error.ts';

export function onNotFound(app: Hono<EdgeHono>): (c: EdgeContext) => Response {
  return function refuseUnknown(c) {
    const allowed = methodsOf(app, c.req.path);
    if (allowed.length === 0) return onError(new AppError('route_not_found'), c);
    const message = `This address answers ${allowed.join(', ')}, not ${c.req.method}.`;
    const response = onError(new AppError('method_not_allowed', { message }), c);
    response.headers.set('allow', allowed.join(', '));
    return response;
  };
}

/** The methods that an address supports. */
export function methodsOf(app: Hono<EdgeHono>, path: string): string[] {
  const methods = new Set(app.routes.map((route) => route.method).filter((method) => method !== 'ALL'));
  // Middleware matches every method; a route adds further matches.
  const guards = app.router.match('-', path)[0].length;
  return [...methods].filter((method) => app.router.match(method, path)[0].length > guards).sort();
}
