/** OpenAI's Responses request -> {@link ChatRequest}. */
import * as v from 'valibot';
import { AppError } from '../../shared/errors.ts';
import type { ChatMessage, ChatRequest, JsonObject, JsonValue } from '../../shared/model/chat-model.ts';
import { parseSessionId, withKnowledge } from '../../shared/wire/chat-schema.ts';
import { checkDepth, parseInput } from '../../shared/wire/parse-input.ts';

export interface ResponsesInput {
  request: ChatRequest;
  stream: boolean;
  /** Answer at once, and go on without a reader. */
  background: boolean;
  /** False: nothing of the turn is kept. */
  store: boolean;
  /** The session that the turn belongs to. */
  conversation: string | undefined;
  previousResponseId: string | undefined;
  /** As in Chat Completions: the message that the input follows; `null` for the beginning. */
  parentId?: string | null;
  /** As in Chat Completions: answers a turn's question once more. */
  regenerate?: true | string;
  /** Fields that the response object repeats. */
  echo: JsonObject;
}

const optional = <Schema extends v.GenericSchema>(schema: Schema) => v.optional(v.nullable(schema));

const part = v.looseObject({ type: v.string() });
const content = v.union([v.string(), v.array(part)]);
const message = v.looseObject({
  type: v.optional(v.literal('message')),
  role: v.picklist(['user', 'assistant', 'system', 'developer']),
  content,
});
const call = v.looseObject({
  type: v.literal('function_call'),
  call_id: v.string(),
  name: v.string(),
  arguments: v.string(),
});
const callOutput = v.looseObject({
  type: v.literal('function_call_output'),
  call_id: v.string(),
  output: v.union([v.string(), v.array(part)]),
});
const reasoning = v.looseObject({ type: v.literal('reasoning') });
const item = v.union([message, call, callOutput, reasoning]);

const tool = v.looseObject({ type: v.string(), name: v.optional(v.string()) });
/** The body of `POST /v1/responses`. */
export const responsesRequestSchema = v.looseObject({
  model: v.optional(
    v.pipe(v.string(), v.minLength(1, 'must not be empty'), v.maxLength(256, 'is too long')),
    'auto',
  ),
  input: v.optional(
    v.union([v.string(), v.pipe(v.array(item), v.minLength(1, 'must hold at least one item'))]),
  ),
  parent_id: v.optional(v.nullable(v.string())),
  regenerate: optional(v.union([v.boolean(), v.string()])),
  instructions: optional(v.string()),
  conversation: optional(v.union([v.string(), v.looseObject({ id: v.string() })])),
  previous_response_id: optional(v.string()),
  stream: optional(v.boolean()),
  background: optional(v.boolean()),
  store: optional(v.boolean()),
  metadata: optional(v.record(v.string(), v.string())),
  temperature: optional(v.number()),
  top_p: optional(v.number()),
  max_output_tokens: optional(
    v.pipe(v.number(), v.integer('must be an integer'), v.minValue(1, 'must be at least 1')),
  ),
  parallel_tool_calls: optional(v.boolean()),
  tools: optional(v.array(tool)),
  tool_choice: optional(v.union([v.string(), v.looseObject({ type: v.string() })])),
  text: optional(v.looseObject({ format: optional(v.looseObject({ type: v.string() })) })),
  reasoning: optional(v.looseObject({ effort: optional(v.string()) })),
  /** Whether documents are looked through, and cited: a field of our own. */
  knowledge: optional(v.boolean()),
  user: optional(v.string()),
});
type Parsed = v.InferOutput<typeof responsesRequestSchema>;

/** @throws AppError that names the field */
export function parseResponsesRequest(body: unknown): ResponsesInput {
  checkDepth(body);
  const parsed = parseInput(responsesRequestSchema, body);
  const { conversation, previous_response_id: previous, background, store } = parsed;
  if (conversation && previous) {
    throw invalid('previous_response_id', "cannot be used together with 'conversation'");
  }
  if (store === false && (conversation || previous || background)) {
    const param = conversation ? 'conversation' : previous ? 'previous_response_id' : 'background';
    throw invalid(param, "cannot be used together with 'store': false, which keeps nothing");
  }
  const { parent_id: parentId, regenerate, input = [] } = parsed;
  if (parsed.input === undefined && !regenerate) {
    throw new AppError('missing_required_parameter', {
      param: 'input',
      message: "Missing required parameter: 'input'.",
    });
  }
  if ((regenerate || parentId !== undefined) && !conversation) {
    throw invalid(regenerate ? 'regenerate' : 'parent_id', "needs a 'conversation'");
  }
  const instructions: ChatMessage[] = parsed.instructions
    ? [{ role: 'system', content: parsed.instructions }]
    : [];
  const conversationId = typeof conversation === 'string' ? conversation : conversation?.id;
  return {
    request: {
      model: parsed.model,
      messages: [...instructions, ...toMessages(input)],
      params: toParams(parsed),
      ...withKnowledge(parsed.knowledge),
    },
    stream: parsed.stream ?? false,
    background: background ?? false,
    store: store ?? true,
    conversation: conversationId === undefined ? undefined : parseSessionId(conversationId, 'conversation'),
    previousResponseId: previous ?? undefined,
    ...(parentId !== undefined && { parentId }),
    ...(regenerate && { regenerate }),
    echo: toEcho(parsed, conversationId),
  };
}

function toMessages(input: NonNullable<Parsed['input']>): ChatMessage[] {
  if (typeof input === 'string') return [{ role: 'user', content: input }];
  const messages: ChatMessage[] = [];
  for (const entry of input) {
    if (entry.type === 'reasoning') continue;
    if (entry.type === 'function_call') {
      const { call_id: id, name, arguments: text } = entry as v.InferOutput<typeof call>;
      const made = { id, type: 'function' as const, function: { name, arguments: text } };
      const last = messages.at(-1);
      // Calls made in one answer are one message in Chat Completions.
      if (last?.role === 'assistant' && last.tool_calls) last.tool_calls.push(made);
      else messages.push({ role: 'assistant', content: null, tool_calls: [made] });
    } else if (entry.type === 'function_call_output') {
      const { call_id: id, output } = entry as v.InferOutput<typeof callOutput>;
      messages.push({ role: 'tool', tool_call_id: id, content: toContent(output) });
    } else {
      const { role, content: said } = entry as v.InferOutput<typeof message>;
      messages.push({ role, content: toContent(said) });
    }
  }
  return messages;
}

/** Parts of the Responses API by their Chat Completions names. */
function toContent(said: string | Record<string, unknown>[]): string | JsonObject[] {
  if (typeof said === 'string') return said;
  return said.map((entry) => {
    if (entry.type === 'input_text' || entry.type === 'output_text')
      return { type: 'text', text: entry.text as string };
    if (entry.type === 'input_image') {
      const detail = entry.detail === undefined ? {} : { detail: entry.detail as string };
      return { type: 'image_url', image_url: { url: entry.image_url as string, ...detail } };
    }
    if (entry.type === 'input_file') {
      const { type: _, ...file } = entry;
      return { type: 'file', file: file as JsonObject };
    }
    return entry as JsonObject;
  });
}

/** Fields with another name or form in Chat Completions; the rest goes on as it is. */
const translated: ReadonlySet<string> = new Set([
  ...['model', 'input', 'instructions', 'conversation', 'previous_response_id', 'stream', 'stream_options'],
  ...['background', 'store', 'metadata', 'max_output_tokens', 'tools', 'tool_choice', 'text', 'reasoning'],
  ...['include', 'truncation', 'parent_id', 'regenerate', 'knowledge'],
]);

function toParams(parsed: Parsed): JsonObject {
  const params: JsonObject = {};
  for (const [field, value] of Object.entries(parsed)) {
    if (!translated.has(field) && value != null) params[field] = value as JsonValue;
  }
  if (parsed.max_output_tokens != null) params.max_completion_tokens = parsed.max_output_tokens;
  if (parsed.reasoning?.effort) params.reasoning_effort = parsed.reasoning.effort;
  if (parsed.text?.format && parsed.text.format.type !== 'text')
    params.response_format = toFormat(parsed.text.format);
  if (parsed.tools && parsed.tools.length > 0) params.tools = parsed.tools.map(toTool);
  if (parsed.tool_choice) params.tool_choice = toToolChoice(parsed.tool_choice);
  return params;
}

function toFormat({ type, ...schemaFields }: { type: string; [field: string]: unknown }): JsonObject {
  return type === 'json_schema' ? { type, json_schema: schemaFields as JsonObject } : { type };
}

function toTool({ type, ...definition }: v.InferOutput<typeof tool>, index: number): JsonObject {
  if (type !== 'function') {
    throw new AppError('unsupported_value', {
      param: `tools[${index}].type`,
      message: `Unsupported value for 'tools[${index}].type': Edgewise passes function tools on, and has none of its own.`,
    });
  }
  return { type, function: definition as JsonObject };
}

function toToolChoice(choice: NonNullable<Parsed['tool_choice']>): JsonValue {
  if (typeof choice === 'string') return choice;
  return choice.type === 'function'
    ? { type: 'function', function: { name: choice.name as string } }
    : (choice as JsonObject);
}

function toEcho(parsed: Parsed, conversation: string | undefined): JsonObject {
  return {
    model: parsed.model,
    instructions: parsed.instructions ?? null,
    metadata: parsed.metadata ?? {},
    temperature: parsed.temperature ?? null,
    top_p: parsed.top_p ?? null,
    max_output_tokens: parsed.max_output_tokens ?? null,
    parallel_tool_calls: parsed.parallel_tool_calls ?? true,
    tool_choice: (parsed.tool_choice as JsonValue) ?? 'auto',
    tools: (parsed.tools as JsonValue) ?? [],
    text: (parsed.text as JsonValue) ?? { format: { type: 'text' } },
    reasoning: (parsed.reasoning as JsonValue) ?? null,
    background: parsed.background ?? false,
    store: parsed.store ?? true,
    previous_response_id: parsed.previous_response_id ?? null,
    ...(conversation === undefined ? {} : { conversation: { id: conversation } }),
  };
}

function invalid(param: string, text: string): AppError {
  return new AppError('invalid_value', { param, message: `Invalid value for '${param}': it ${text}.` });
}
