import { REQUEST_ID_HEADER, securityHeaders } from './answer-headers.ts';
import type { EdgeContext } from './edge-hono.ts';
import { setHeaders } from './response-headers.ts';

/** Sets the headers of every answer where the answer has not got them already. */
export function secureAnswer(c: EdgeContext): void {
  const { headers, status } = c.res;
  // An upgrade's answer is the platform's.
  if (status === 101) return;
  const set = headers.has(REQUEST_ID_HEADER)
    ? []
    : Object.entries(securityHeaders).filter(([name]) => !headers.has(name));
  // Whoever calls from an allowed origin may read the answer, too.
  if (headers.has('access-control-allow-origin')) set.push(['cross-origin-resource-policy', 'cross-origin']);
  if (set.length > 0) setHeaders(c, set);
}
