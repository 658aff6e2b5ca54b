import type { MiddlewareHandler } from 'hono';
import { AppError } from '../../shared/errors.ts';
import type { EdgeHono } from './edge-hono.ts';

/** Requires a token with that scope (RFC 6750, section 3.1). */
export function requireScope(scope: string): MiddlewareHandler<EdgeHono> {
  return async function checkScope(c, next) {
    if (!c.get('request').scopes.includes(scope)) {
      throw new AppError('insufficient_scope', { message: `This needs a token with the scope '${scope}'.` });
    }
    await next();
  };
}
