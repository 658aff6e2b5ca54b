import type { EdgeContext } from './edge-hono.ts';
import { setHeaders } from './response-headers.ts';
import { securityHeaders } from './security-headers.ts';

export const REQUEST_ID_HEADER = 'x-request-id';

/**
 * The headers of every answer, for one that is made with all of its own at once, and then noted as `madeWithHeaders`. On
 * all others they are set one by one, behind the routes, which costs a tenth of what a cached answer takes.
 */
export function answerHeaders(c: EdgeContext): Record<string, string> {
  return { ...securityHeaders, [REQUEST_ID_HEADER]: c.get('requestId') };
}

/** Sets them on an answer that was not made with them; what the answer says itself of security stands. */
export function completeAnswer(c: EdgeContext): void {
  const { headers, status } = c.res;
  // An upgrade's answer is the platform's.
  const missing =
    status === 101 ? [] : Object.entries(securityHeaders).filter(([name]) => !headers.has(name));
  setHeaders(c, [...missing, [REQUEST_ID_HEADER, c.get('requestId')]]);
}

/** A response with what the auth guard took in its `Server-Timing`. */
export function authTiming(c: EdgeContext): string {
  return `auth;dur=${c.get('authMs').toFixed(1)}`;
}
