/** OpenAI's Chat Completions request <-> {@link ChatRequest}. */
import * as v from 'valibot';
import { AppError } from '../errors.ts';
import type { ChatMessage, ChatRequest, JsonObject } from '../model/chat-model.ts';
import { checkDepth, parseInput } from './parse-input.ts';

/** Most tokens of passages out of documents. */
export const KNOWLEDGE_TOKENS = 2000;

export interface ChatCompletionInput {
  request: ChatRequest;
  stream: boolean;
  /** `stream_options.include_usage`. */
  includeUsage: boolean;
  /** The session that this turn belongs to, when the body names one. */
  sessionId?: string;
  /** The message that the new ones follow (an edit makes a branch); `null` for the beginning. */
  parentId?: string | null;
  /** Answers a turn's question once more: the newest turn's (`true`), or the one with that id. */
  regenerate?: true | string;
}

const SESSION_ID = /^[A-Za-z0-9._:-]{1,128}$/;

const typed = v.looseObject({ type: v.string() });
/** The type of parts and calls whose form is for the model to judge. */
const typeBut = (known: string) => v.pipe(v.string(), v.notValue(known));
const part = v.pipe(
  typed,
  v.variant('type', [
    v.looseObject({ type: v.literal('text'), text: v.string() }),
    v.looseObject({ type: typeBut('text') }),
  ]),
);
const content = v.union([v.string(), v.array(part)]);
const id = v.string();
const called = v.looseObject({ name: v.string(), arguments: v.string() });
const toolCall = v.pipe(
  v.looseObject({ id, type: v.string() }),
  v.variant('type', [
    v.looseObject({ id, type: v.literal('function'), function: called }),
    v.looseObject({ id, type: typeBut('function') }),
  ]),
);
const name = v.optional(v.string());
const prompt = v.looseObject({ role: v.picklist(['system', 'developer', 'user']), content, name });
const answer = v.looseObject({
  role: v.literal('assistant'),
  content: v.optional(v.nullable(content)),
  name,
  tool_calls: v.optional(v.nullable(v.array(toolCall))),
});
const toolResult = v.looseObject({ role: v.literal('tool'), content, tool_call_id: v.string() });
const functionResult = v.looseObject({
  role: v.literal('function'),
  content: v.nullable(content),
  name: v.string(),
});
const roles = ['system', 'developer', 'user', 'assistant', 'tool', 'function'] as const;
const message = v.pipe(
  v.looseObject({ role: v.picklist(roles) }),
  v.variant('role', [prompt, answer, toolResult, functionResult]),
);

const optional = <Schema extends v.GenericSchema>(schema: Schema) => v.optional(v.nullable(schema));
const between = (low: number, high: number) =>
  v.pipe(v.number(), v.minValue(low, `must be at least ${low}`), v.maxValue(high, `must be at most ${high}`));
const positive = v.pipe(v.number(), v.integer('must be an integer'), v.minValue(1, 'must be at least 1'));

/** The body of `POST /v1/chat/completions`. */
export const chatCompletionRequestSchema = v.looseObject({
  model: v.optional(
    v.pipe(v.string(), v.minLength(1, 'must not be empty'), v.maxLength(256, 'is too long')),
    'auto',
  ),
  messages: v.array(message),
  stream: optional(v.boolean()),
  stream_options: optional(v.looseObject({ include_usage: optional(v.boolean()) })),
  session_id: optional(v.string()),
  parent_id: v.optional(v.nullable(v.string())),
  regenerate: optional(v.union([v.boolean(), v.string()])),
  knowledge: optional(v.boolean()),
  n: optional(v.number()),
  temperature: optional(between(0, 2)),
  top_p: optional(between(0, 1)),
  presence_penalty: optional(between(-2, 2)),
  frequency_penalty: optional(between(-2, 2)),
  max_tokens: optional(positive),
  max_completion_tokens: optional(positive),
  stop: optional(
    v.union([v.string(), v.pipe(v.array(v.string()), v.maxLength(4, 'must hold at most 4 strings'))]),
  ),
  tools: optional(v.array(typed)),
  tool_choice: optional(v.union([v.string(), typed])),
  response_format: optional(typed),
  user: optional(v.string()),
});

/** Fields that are not for the model. */
const ownFields: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'stream',
  'stream_options',
  'session_id',
  'parent_id',
  'regenerate',
  'knowledge',
  'n',
]);

/** What a request asks of documents; `undefined` leaves it to what its tenant does by default. */
export function withKnowledge(knowledge: boolean | null | undefined): Pick<ChatRequest, 'recall'> {
  if (knowledge == null) return {};
  return { recall: { throughRound: 0, knowledge, tokens: knowledge ? KNOWLEDGE_TOKENS : 0 } };
}

/**
 * Fields that Edgewise does not know go to the model unchanged.
 * @throws AppError that names the field: `missing_required_parameter`, `invalid_type`, `invalid_value`, `unsupported_value`
 */
export function parseChatCompletionRequest(body: unknown): ChatCompletionInput {
  checkDepth(body);
  const parsed = parseInput(chatCompletionRequestSchema, body);
  const {
    model,
    messages,
    stream,
    stream_options,
    session_id,
    parent_id,
    regenerate,
    knowledge,
    n,
    ...rest
  } = parsed;
  if (messages.length === 0 && !regenerate) {
    throw new AppError('invalid_value', {
      param: 'messages',
      message: "Invalid value for 'messages': must hold at least one message.",
    });
  }
  if (n != null && n !== 1) {
    throw new AppError('unsupported_value', {
      param: 'n',
      message: `Unsupported value: 'n' must be 1, but got ${n}.`,
    });
  }
  if (stream_options && !stream) {
    throw new AppError('invalid_value', {
      param: 'stream_options',
      message: "Invalid value for 'stream_options': it is only allowed when 'stream' is true.",
    });
  }
  const params: JsonObject = {};
  for (const [field, value] of Object.entries(rest)) {
    if (value !== undefined && value !== null && !ownFields.has(field)) params[field] = value as JsonObject;
  }
  const input: ChatCompletionInput = {
    request: { model, messages: messages as ChatMessage[], params, ...withKnowledge(knowledge) },
    stream: stream ?? false,
    includeUsage: stream_options?.include_usage ?? false,
  };
  if (session_id != null) input.sessionId = parseSessionId(session_id, 'session_id');
  if (parent_id !== undefined) input.parentId = parent_id;
  if (regenerate) input.regenerate = regenerate;
  return input;
}

/** @throws AppError `invalid_value` naming `param` */
export function parseSessionId(value: string, param: string): string {
  if (SESSION_ID.test(value)) return value;
  throw new AppError('invalid_value', {
    param,
    message: `Invalid value for '${param}': expected 1 to 128 letters, digits, '.', '_', ':' or '-'.`,
  });
}

/** The body for an upstream: always streamed, always with usage, and nothing that is only ours. */
export function toUpstreamBody(request: ChatRequest, upstreamModel: string): JsonObject {
  return {
    ...request.params,
    model: upstreamModel,
    messages: request.messages.map(withoutAnnotations),
    stream: true,
    stream_options: { include_usage: true },
  };
}

/** The same for an answer that is taken as a whole. */
export function toWholeUpstreamBody(request: ChatRequest, upstreamModel: string): JsonObject {
  const { stream: _, stream_options: __, ...body } = toUpstreamBody(request, upstreamModel);
  return body;
}

/** Citations are for people to read; not every upstream takes them back. */
function withoutAnnotations(message: ChatMessage): JsonObject {
  if (message.annotations === undefined) return message as JsonObject;
  const { annotations: _, ...rest } = message;
  return rest as JsonObject;
}
