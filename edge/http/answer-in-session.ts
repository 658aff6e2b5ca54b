import { AppError } from '../../shared/errors.ts';
import type { TurnCommand } from '../session/turn-command.ts';
import { authTiming } from './answer-headers.ts';
import type { EdgeContext } from './edge-hono.ts';
import { sessionOfCaller } from './session-of-caller.ts';

/** Starts a turn of a session of the caller's, and answers with its first reader's response. */
export async function answerInSession(
  c: EdgeContext,
  command: Omit<TurnCommand, 'context' | 'createdAt' | 'cacheControl'>,
): Promise<Response> {
  const context = c.get('request');
  const { sessionId } = command;
  // What is masked is masked in the history, too.
  const request = await c.get('services').pluginsFor(context).onPrompt(command.request, c.req.raw);
  const createdAt = Math.floor(c.get('services').now() / 1000);
  const reply = await sessionOfCaller(c, sessionId).startTurn({
    ...command,
    request,
    context,
    createdAt,
    cacheControl: c.req.header('cache-control'),
  });
  if (!reply.ok) throw AppError.fromInfo(reply.error);
  const response = new Response(reply.value.body, reply.value);
  response.headers.set('x-session-id', sessionId);
  response.headers.append('server-timing', authTiming(c));
  return response;
}
