import { securityHeaders } from './answer-headers.ts';
import type { EdgeContext } from './edge-hono.ts';
import { setHeaders } from './response-headers.ts';

/** Sets what every answer tells a browser, where the answer says nothing else of it. */
export function secureAnswer(c: EdgeContext): void {
  const { headers, status } = c.res;
  // An upgrade's answer is the platform's.
  if (status === 101) return;
  const set = Object.entries(securityHeaders).filter(([name]) => !headers.has(name));
  setHeaders(c, set);
}

/** Whoever calls from an allowed origin may read the answer, too. */
export function openToOrigin(c: EdgeContext): void {
  if (c.res.status === 101 || !c.res.headers.has('access-control-allow-origin')) return;
  setHeaders(c, [['cross-origin-resource-policy', 'cross-origin']]);
}
