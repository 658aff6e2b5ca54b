import { AppError } from '../../shared/errors.ts';
import type { ConversationKey } from '../session/context-store.ts';
import { type SessionStub, sessionOf } from '../session/session-stub.ts';
import type { EdgeContext } from './edge-hono.ts';

/**
 * The key of one of the caller's sessions: tenant and user come from the token, so nobody can reach another user's.
 * @throws AppError `insufficient_scope` when the token is bound to another session
 */
export function sessionKeyOfCaller(c: EdgeContext, sessionId: string): ConversationKey {
  const { tenant, user, session } = c.get('request');
  if (session !== undefined && session !== sessionId) {
    throw new AppError('insufficient_scope', { message: 'The token is bound to another session.' });
  }
  return { tenant, user, sessionId };
}

export function sessionOfCaller(c: EdgeContext, sessionId: string): SessionStub {
  return sessionOf(c.env, sessionKeyOfCaller(c, sessionId));
}
