import { AppError } from '../../shared/errors.ts';
import { type ChatCompletionInput, parseSessionId } from '../../shared/wire/chat-schema.ts';
import { branchOf } from '../session/message-tree.ts';
import type { WireRequest } from '../wire/create-wire.ts';
import { STATE_HEADER } from '../wire/turn-response.ts';
import { readChatPrompt } from './chat-prompt.ts';
import type { EdgeContext } from './edge-hono.ts';
import { readIdempotencyKey } from './idempotency-key.ts';
import type { PromptAnswers } from './prompt-answers.ts';

export interface ChatCompletionsRouteOptions extends PromptAnswers {
  newId: () => string;
}

/** `POST /v1/chat/completions`: a turn of a session when one is named, else a stateless prompt. */
export function chatCompletionsRoute(options: ChatCompletionsRouteOptions) {
  const { answerInSession, answerStateless, newId } = options;
  return async function complete(c: EdgeContext): Promise<Response> {
    const { body, input, derived } = await readChatPrompt(c);
    const { request } = input;
    const sessionId = sessionIdOf(c, input);
    const state = stateOf(c, sessionId);
    const keyed = readIdempotencyKey(c, state === undefined ? body : [body, state]);
    const idempotency = keyed && (await keyed);
    const branch = branchOf(input);
    const wire = toWireRequest(input);
    const turnId = newId();
    if (sessionId !== undefined) {
      return answerInSession(c, { sessionId, turnId, request, branch, idempotency, wire });
    }
    if (branch) {
      const message = "'regenerate' and 'parent_id' need a session.";
      throw new AppError('invalid_value', { param: input.regenerate ? 'regenerate' : 'parent_id', message });
    }
    if (idempotency) {
      const command = {
        sessionId: idempotency.sessionId,
        turnId,
        request,
        alone: true,
        state,
        idempotency,
        wire,
      };
      return answerInSession(c, command);
    }
    return answerStateless(c, { turnId, request, derived, state, wire });
  };
}

/** The session id from the header or the body. @throws AppError `invalid_value` when both are present and differ */
function sessionIdOf(c: EdgeContext, input: ChatCompletionInput): string | undefined {
  const header = c.req.header('x-session-id');
  const fromHeader = header === undefined ? undefined : parseSessionId(header, 'x-session-id');
  if (fromHeader !== undefined && input.sessionId !== undefined && fromHeader !== input.sessionId) {
    throw new AppError('invalid_value', {
      param: 'session_id',
      message: "The header 'x-session-id' and the field 'session_id' name different sessions.",
    });
  }
  return fromHeader ?? input.sessionId;
}

/** The sealed conversation that the client keeps; `new` for a new one. */
function stateOf(c: EdgeContext, sessionId: string | undefined): string | undefined {
  const state = c.req.header(STATE_HEADER);
  if (state !== undefined && sessionId !== undefined) {
    const message = `A session remembers by itself: send a session or '${STATE_HEADER}', not both.`;
    throw new AppError('invalid_value', { param: STATE_HEADER, message });
  }
  return state;
}

function toWireRequest({ stream, includeUsage }: ChatCompletionInput): WireRequest {
  return { kind: 'chat-completions', stream, includeUsage };
}
