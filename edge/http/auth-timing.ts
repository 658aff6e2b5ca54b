import type { EdgeContext } from './edge-hono.ts';

/** A response of ours with what the auth guard took in its `Server-Timing`. */
export function withAuthTiming(c: EdgeContext, response: Response): Response {
  response.headers.append('server-timing', `auth;dur=${c.get('authMs').toFixed(1)}`);
  return response;
}
