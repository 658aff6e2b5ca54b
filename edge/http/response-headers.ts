import type { EdgeContext } from './edge-hono.ts';

/**
 * Sets headers of the existing response. Hono's own `c.header` would create a new `Response` for each header; this creates
 * at most one, and only when the response's headers are immutable.
 */
export function setHeaders(
  c: EdgeContext,
  entries: readonly (readonly [name: string, value: string])[],
): void {
  try {
    for (const [name, value] of entries) c.res.headers.set(name, value);
  } catch {
    c.res = new Response(c.res.body, c.res);
    for (const [name, value] of entries) c.res.headers.set(name, value);
  }
}
