import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import type { EdgeHono } from './edge-hono.ts';

const exposed = [
  'x-request-id',
  'x-session-id',
  'x-edgewise-route',
  'x-edgewise-model',
  'x-edgewise-fallback',
  'x-edgewise-cache',
  'x-edgewise-cache-key',
  'age',
  'x-edgewise-context',
  'x-edgewise-state',
  'server-timing',
  'ratelimit',
  'ratelimit-policy',
  'x-ratelimit-limit-requests',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-reset-requests',
  'x-ratelimit-limit-tokens',
  'x-ratelimit-remaining-tokens',
  'x-ratelimit-reset-tokens',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
];

/** CORS (WHATWG Fetch) for exactly the configured origins. Tokens travel in a header, so no credentials mode. */
export function allowOrigins(corsOrigins: string[]): MiddlewareHandler<EdgeHono> {
  return cors({
    origin: corsOrigins.includes('*') ? '*' : corsOrigins,
    allowMethods: ['GET', 'POST', 'PATCH', 'DELETE', 'OPTIONS'],
    exposeHeaders: exposed,
    maxAge: 86_400,
  });
}
