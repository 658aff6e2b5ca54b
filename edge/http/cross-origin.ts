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

/** CORS (WHATWG Fetch) for exactly the configured origins. Tokens are sent in a header, so credentials mode is off. */
export async function applyCors(c: EdgeContext, next: Next, corsOrigins: string[]): Promise<void> {
  const answerTo = cors({
    origin: corsOrigins.includes('*') ? '*' : corsOrigins,
    allowMethods: ['GET', 'POST', 'PATCH', 'DELETE', 'OPTIONS'],
    exposeHeaders: exposed,
    maxAge: 86_400,
  });
  // `cors` answers a preflight itself.
  const answer = await answerTo(c, next);
  if (answer) c.res = answer;
  if (c.res.status === 101 || !c.res.headers.has('access-control-allow-origin')) return;
  // Resources of another origin are blocked by default, so an allowed origin needs this header to read the response.
  setHeaders(c, [['cross-origin-resource-policy', 'cross-origin']]);
}
