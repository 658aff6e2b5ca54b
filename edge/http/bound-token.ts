/** What a token with the claim `session` may reach: its one session, and what belongs to no conversation. */
import { routePath } from 'hono/route';
import { AppError } from '../../shared/errors.ts';
import type { EdgeContext } from './edge-hono.ts';

/**
 * Every other route is refused, a new one too. Those with a session in their path, body or id compare it with the token's
 * (`session-of-caller.ts`).
 */
const allowed: ReadonlySet<string> = new Set([
  'GET /v1/models',
  'POST /v1/chat/completions',
  'POST /v1/responses',
  'GET /v1/responses/:id',
  'DELETE /v1/responses/:id',
  'POST /v1/responses/:id/cancel',
  'GET /v1/responses/:id/input_items',
  'GET /v1/sessions/:id',
  'DELETE /v1/sessions/:id',
  'GET /v1/sessions/:id/stream',
  'POST /v1/sessions/:id/stop',
  'POST /v1/sessions/:id/forget',
  'GET /v1/sessions/:id/ws',
  'POST /api/chat',
  'GET /api/chat/:id/stream',
]);

/** @throws AppError `insufficient_scope` when the caller is bound to a session and the route is not in the list */
export function refuseBeyondSession(c: EdgeContext): void {
  if (c.get('request').session === undefined) return;
  const method = c.req.method === 'HEAD' ? 'GET' : c.req.method;
  if (allowed.has(`${method} ${routePath(c, -1)}`)) return;
  throw new AppError('insufficient_scope', {
    message: 'The token is bound to one session and cannot use this route.',
  });
}
