import {
  type ChatCompletionInput,
  parseChatCompletionRequest,
  parseSessionId,
} from '../../shared/chat-schema.ts';
import { AppError } from '../../shared/errors.ts';
import { answerTurn } from '../chat/answer-turn.ts';
import { toTurnResponse } from '../chat/turn-response.ts';
import type { TurnTimings } from '../chat/turn-timings.ts';
import type { TurnBranch } from '../session/conversation.ts';
import { sessionOf } from '../session/session-object.ts';
import { createWire, type WireRequest } from '../wire/create-wire.ts';
import type { EdgeContext } from './edge-hono.ts';
import { readJson } from './json-body.ts';

/** `POST /v1/chat/completions`: a turn of a session when one is named, else a prompt that stands alone. */
export async function chatCompletionsRoute(c: EdgeContext): Promise<Response> {
  const input = parseChatCompletionRequest(await readJson(c));
  const sessionId = sessionIdOf(c, input);
  if (sessionId === undefined && branchOf(input)) {
    const message = "'regenerate' and 'parent_id' need a session.";
    throw new AppError('invalid_value', { param: input.regenerate ? 'regenerate' : 'parent_id', message });
  }
  const response =
    sessionId === undefined ? await answerAlone(c, input) : await answerInSession(c, input, sessionId);
  const authTiming = `auth;dur=${c.get('authMs').toFixed(1)}`;
  const answer = new Response(response.body, response);
  answer.headers.append('server-timing', authTiming);
  return answer;
}

/** The header wins; both with different values is a mistake worth telling. */
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

async function answerAlone(c: EdgeContext, input: ChatCompletionInput): Promise<Response> {
  const { modelsFor, config, now, newId } = c.get('services');
  const context = c.get('request');
  const turnId = newId();
  const timings: TurnTimings = {};
  const reader = new AbortController();
  const deadline = AbortSignal.timeout(config.turnTimeoutMs);
  const turn = answerTurn({
    turnId,
    request: input.request,
    models: modelsFor(context, turnId),
    timings,
    signal: AbortSignal.any([reader.signal, deadline, c.req.raw.signal]),
    now,
  });
  return toTurnResponse(turn, {
    turnId,
    wire: createWire(toWireRequest(input), { requestId: context.requestId, ids: false }),
    stream: input.stream,
    after: -1,
    timings,
    heartbeatMs: config.heartbeatMs,
    onCancel: () => reader.abort(),
  });
}

async function answerInSession(
  c: EdgeContext,
  input: ChatCompletionInput,
  sessionId: string,
): Promise<Response> {
  const context = c.get('request');
  const { tenant, user } = context;
  const turnId = c.get('services').newId();
  const reply = await sessionOf(c.env, { tenant, user, sessionId }).startTurn({
    context,
    sessionId,
    turnId,
    request: input.request,
    branch: branchOf(input),
    wire: toWireRequest(input),
  });
  if (!reply.ok) throw AppError.fromInfo(reply.error);
  reply.value.headers.set('x-session-id', sessionId);
  return reply.value;
}

function branchOf({ regenerate, parentId }: ChatCompletionInput): TurnBranch | undefined {
  if (regenerate) return { kind: 'again', turnId: regenerate === true ? undefined : regenerate };
  return parentId === undefined ? undefined : { kind: 'after-message', messageId: parentId };
}

function toWireRequest({ stream, includeUsage }: ChatCompletionInput): WireRequest {
  return { kind: 'chat-completions', stream, includeUsage };
}
