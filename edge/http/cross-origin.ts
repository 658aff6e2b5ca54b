import type { Next } from 'hono';
import { cors } from 'hono/cors';
import type { EdgeContext } from './edge-hono.ts';
import { setHeaders } from './response-headers.ts';

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
export async function acrossOrigins(c: EdgeContext, next: Next, corsOrigins: string[]): Promise<void> {
  const answerTo = cors({
    origin: corsOrigins.includes('*') ? '*' : corsOrigins,
    allowMethods: ['GET', 'POST', 'PATCH', 'DELETE', 'OPTIONS'],
    exposeHeaders: exposed,
    maxAge: 86_400,
  });
  // A preflight is answered there.
  const answer = await answerTo(c, next);
  if (answer) c.res = answer;
  if (c.res.status === 101 || !c.res.headers.has('access-control-allow-origin')) return;
  // Whoever calls from an allowed origin may read the answer, too.
  setHeaders(c, [['cross-origin-resource-policy', 'cross-origin']]);
}
