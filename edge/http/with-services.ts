import type { MiddlewareHandler } from 'hono';
import { edgeServices } from '../services.ts';
import type { EdgeHono } from './edge-hono.ts';

/** Hands the isolate's services to the handlers. */
export function withServices(): MiddlewareHandler<EdgeHono> {
  return async function provideServices(c, next) {
    c.set('services', edgeServices(c.env));
    await next();
  };
}
