import type { EdgeContext } from './edge-hono.ts';

/** The response with what the auth guard took in its `Server-Timing`. */
export function withAuthTiming(c: EdgeContext, response: Response): Response {
  const timed = new Response(response.body, response);
  timed.headers.append('server-timing', `auth;dur=${c.get('authMs').toFixed(1)}`);
  return timed;
}
