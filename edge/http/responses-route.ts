/** OpenAI's Responses API. A stored response is a turn of a session; its id contains the session's id. */

import { AppError } from '../../shared/errors.ts';
import { branchOf } from '../session/message-tree.ts';
import type { SessionStub } from '../session/session-stub.ts';
import type { WireRequest } from '../wire/create-wire.ts';
import { parseResponseId, responseId } from '../wire/response-id.ts';
import { parseResponsesRequest } from '../wire/responses-schema.ts';
import type { EdgeContext } from './edge-hono.ts';
import { readIdempotencyKey } from './idempotency-key.ts';
import { toInputItems } from './input-items.ts';
import { readJson } from './json-body.ts';
import type { PromptAnswers } from './prompt-answers.ts';
import { parseInteger } from './query.ts';
import { sessionOfCaller } from './session-of-caller.ts';

type ResponsePath = '/v1/responses/:id' | '/v1/responses/:id/cancel' | '/v1/responses/:id/input_items';

export interface ResponsesRouteOptions extends PromptAnswers {
  newId: () => string;
}

export function responsesRoute({ answerInSession, answerStateless, newId }: ResponsesRouteOptions) {
  return {
    async create(c: EdgeContext): Promise<Response> {
      const body = await readJson(c);
      const input = parseResponsesRequest(body);
      const idempotency = await readIdempotencyKey(c, body);
      const { request, stream, echo, background } = input;
      const turnId = newId();
      const previous =
        input.previousResponseId === undefined ? undefined : parsePrevious(input.previousResponseId);
      const sessionId =
        input.conversation ?? previous?.sessionId ?? idempotency?.sessionId ?? `conv_${newId()}`;
      const wire: WireRequest = {
        kind: 'responses',
        stream,
        echo,
        responseId: responseId(turnId, sessionId),
      };
      if (!input.store && !idempotency) return answerStateless(c, { turnId, request, wire });
      const branch = previous ? { kind: 'after-turn' as const, turnId: previous.turnId } : branchOf(input);
      const common = { sessionId, turnId, request, idempotency, background, wire };
      const command = input.store ? { ...common, branch, ownSystem: true } : { ...common, alone: true };
      return answerInSession(c, command);
    },

    /** The response in its current state; with `stream=true`, its events after `starting_after` and the live ones. */
    async read(c: EdgeContext<'/v1/responses/:id'>): Promise<Response> {
      const { session, turnId, wire } = locate(c);
      if (c.req.query('stream') !== 'true') return toResponse(await session.describe(turnId, wire));
      const range = { fallback: -1, min: 0, max: Number.MAX_SAFE_INTEGER };
      const after = parseInteger(c.req.query('starting_after'), 'starting_after', range);
      return toResponse(await session.attach({ turnId, after, wire }));
    },

    async cancel(c: EdgeContext<'/v1/responses/:id/cancel'>): Promise<Response> {
      const { session, turnId, wire } = locate(c);
      toResponse(await session.describe(turnId, wire));
      await session.stopTurn(turnId);
      return toResponse(await session.describe(turnId, wire));
    },

    /** Stops the response if it runs, and deletes it. Its messages stay in the conversation. */
    async remove(c: EdgeContext<'/v1/responses/:id'>): Promise<Response> {
      const { session, turnId } = locate(c);
      const reply = await session.removeTurn(turnId);
      if (!reply.ok) throw toResponseError(AppError.fromInfo(reply.error));
      return c.json({ id: c.req.param('id'), object: 'response', deleted: true });
    },

    async inputItems(c: EdgeContext<'/v1/responses/:id/input_items'>): Promise<Response> {
      const { session, turnId } = locate(c);
      const reply = await session.question(turnId);
      if (!reply.ok) throw toResponseError(AppError.fromInfo(reply.error));
      const data = reply.value.flatMap((message, index) => toInputItems(message, `${turnId}_${index}`));
      const [first, last] = [data[0]?.id ?? null, data.at(-1)?.id ?? null];
      return c.json({ object: 'list', data, first_id: first, last_id: last, has_more: false });
    },
  };
}

function parsePrevious(id: string): { turnId: string; sessionId: string } {
  try {
    return parseResponseId(id);
  } catch {
    throw new AppError('response_not_found', { param: 'previous_response_id' });
  }
}

function locate(c: EdgeContext<ResponsePath>): { session: SessionStub; turnId: string; wire: WireRequest } {
  const id = c.req.param('id');
  const { turnId, sessionId } = parseResponseId(id);
  const wire: WireRequest = { kind: 'responses', stream: false, responseId: id, echo: {} };
  return { session: sessionOfCaller(c, sessionId), turnId, wire };
}

function toResponse(reply: Awaited<ReturnType<SessionStub['attach']>>): Response {
  if (!reply.ok) throw toResponseError(AppError.fromInfo(reply.error));
  if (!reply.value) throw new AppError('response_not_found');
  return new Response(reply.value.body, reply.value);
}

/** The Responses API has no 410, so an expired response is reported as not found. */
function toResponseError(error: AppError): AppError {
  return error.code === 'turn_expired' ? new AppError('response_not_found') : error;
}
