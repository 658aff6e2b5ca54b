import type { MiddlewareHandler } from 'hono';
import type { EdgeHono } from './edge-hono.ts';
import { setHeaders } from './response-headers.ts';

/** What every answer tells a browser (OWASP Secure Headers): nothing here is a page, a frame or a script. */
const headers: readonly (readonly [name: string, value: string])[] = [
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['cross-origin-resource-policy', 'same-site'],
  ['permissions-policy', 'camera=(), geolocation=(), microphone=()'],
  ['referrer-policy', 'no-referrer'],
  ['strict-transport-security', 'max-age=31536000; includeSubDomains'],
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
  // Answers of people's prompts belong in no shared cache, unless a route says otherwise.
  ['cache-control', 'no-store'],
];

export function securityHeaders(): MiddlewareHandler<EdgeHono> {
  return async function addSecurityHeaders(c, next) {
    await next();
    // An upgrade's answer is the platform's.
    if (c.res.status === 101) return;
    const set = headers.filter(([name]) => !c.res.headers.has(name));
    // Whoever calls from an allowed origin may read the answer, too.
    if (c.res.headers.has('access-control-allow-origin'))
      set.push(['cross-origin-resource-policy', 'cross-origin']);
    setHeaders(c, set);
  };
}
