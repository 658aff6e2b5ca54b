import type { EdgeContext } from './edge-hono.ts';

/**
 * Sets headers of the answer that is there by now. Hono's own `c.header` makes a new `Response` for each of them
 * then; here there is one, and only where the answer came from elsewhere and cannot be changed.
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
