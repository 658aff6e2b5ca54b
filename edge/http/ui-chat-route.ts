/**
 * The AI SDK's chat contract: `POST /api/chat` with the full list of UI messages, of which only the newest is used, and
 * `GET /api/chat/:id/stream` to resume. The chat's id is the session id.
 */
import * as v from 'valibot';
import { AppError } from '../../shared/errors.ts';
import type { ChatMessage, JsonObject } from '../../shared/model/chat-model.ts';
import { parseSessionId, withKnowledge } from '../../shared/wire/chat-schema.ts';
import { checkDepth, parseInput } from '../../shared/wire/parse-input.ts';
import type { TurnBranch } from '../session/message-tree.ts';
import type { WireRequest } from '../wire/create-wire.ts';
import type { EdgeContext } from './edge-hono.ts';
import { readIdempotencyKey } from './idempotency-key.ts';
import { readJson } from './json-body.ts';
import type { PromptAnswers } from './prompt-answers.ts';
import { parseInteger } from './query.ts';
import { sessionOfCaller } from './session-of-caller.ts';

const part = v.looseObject({
  type: v.string(),
  text: v.optional(v.string()),
  url: v.optional(v.string()),
  mediaType: v.optional(v.string()),
});
const uiMessage = v.looseObject({
  id: v.optional(v.string()),
  role: v.picklist(['system', 'user', 'assistant']),
  parts: v.array(part),
});
/** The body of `POST /api/chat`. */
export const uiChatSchema = v.looseObject({
  id: v.string(),
  messages: v.pipe(v.array(uiMessage), v.minLength(1, 'must hold at least one message')),
  trigger: v.optional(v.picklist(['submit-message', 'regenerate-message']), 'submit-message'),
  messageId: v.optional(v.nullable(v.string())),
  model: v.optional(v.string(), 'auto'),
  knowledge: v.optional(v.boolean()),
});
type UiChat = v.InferOutput<typeof uiChatSchema>;

const wire: WireRequest = { kind: 'ui-messages', stream: true };
/** The header with the id of a run; `GET /api/chat/:runId/stream?startIndex=N` resumes it. */
const RUN_ID_HEADER = 'x-workflow-run-id';

export interface UiChatRouteOptions extends Pick<PromptAnswers, 'answerInSession'> {
  newId: () => string;
}

export function uiChatRoute({ answerInSession, newId }: UiChatRouteOptions) {
  return {
    async send(c: EdgeContext): Promise<Response> {
      const body = await readJson(c);
      checkDepth(body);
      const chat = parseInput(uiChatSchema, body);
      const sessionId = parseSessionId(chat.id, 'id');
      const turnId = newId();
      const branch = branchOf(chat);
      const messages = branch ? [] : [toChatMessage(chat)];
      const request = { model: chat.model, messages, params: {}, ...withKnowledge(chat.knowledge) };
      const idempotency = await readIdempotencyKey(c, body);
      const response = await answerInSession(c, { sessionId, turnId, request, branch, idempotency, wire });
      response.headers.set(RUN_ID_HEADER, `run_${turnId}_${sessionId}`);
      return response;
    },

    /** The running turn from its start, or the run with that id from `startIndex`; 204 when nothing runs. */
    async resume(c: EdgeContext<'/api/chat/:id/stream'>): Promise<Response> {
      const id = c.req.param('id');
      const [, turnId, sessionOfRun] = /^run_([0-9a-f]{32})_(.+)$/.exec(id) ?? [];
      const sessionId = parseSessionId(sessionOfRun ?? id, 'id');
      const range = { fallback: 0, min: 0, max: Number.MAX_SAFE_INTEGER };
      const after = parseInteger(c.req.query('startIndex'), 'startIndex', range) - 1;
      const reply = await sessionOfCaller(c, sessionId).attach({ turnId, after, wire });
      if (!reply.ok) throw AppError.fromInfo(reply.error);
      return reply.value ? new Response(reply.value.body, reply.value) : c.body(null, 204);
    },
  };
}

/** The SDK identifies the answer to replace by our message id, `msg_<turn>`; without one, it is the newest. */
function branchOf({ trigger, messageId }: UiChat): TurnBranch | undefined {
  if (trigger !== 'regenerate-message') return undefined;
  return { kind: 'again', turnId: /^msg_([0-9a-f]{32})$/.exec(messageId ?? '')?.[1] };
}

function toChatMessage({ messages }: UiChat): ChatMessage {
  const index = messages.length - 1;
  const newest = messages[index];
  if (newest?.role !== 'user') {
    throw new AppError('invalid_value', {
      param: `messages[${index}].role`,
      message: `Invalid value for 'messages[${index}].role': the newest message must be the user's.`,
    });
  }
  const parts = newest.parts.flatMap(toContentPart);
  const [only] = parts;
  if (parts.length === 1 && only?.type === 'text') return { role: 'user', content: String(only.text) };
  return { role: 'user', content: parts };
}

function toContentPart({ type, text, url, mediaType }: v.InferOutput<typeof part>): JsonObject[] {
  if (type === 'text') return [{ type, text: text ?? '' }];
  if (type === 'file' && mediaType?.startsWith('image/')) return [{ type: 'image_url', image_url: { url } }];
  if (type === 'file') return [{ type, file: { file_data: url } }];
  // Steps, sources and data parts are used by the page only.
  return [];
}
