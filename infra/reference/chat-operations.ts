/** Chat Completions and the AI SDK's chat route. */
import * as v from 'valibot';
import { chatCompletionRequestSchema } from '../../shared/wire/chat-schema.ts';
import { loadEdgeSchema } from './load-edge.ts';
import { described, idempotencyKey, type Operation, unixSeconds } from './operation.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

export const completionUsage = v.object({
  prompt_tokens: count,
  completion_tokens: count,
  total_tokens: count,
  prompt_tokens_details: v.optional(
    v.object({
      cached_tokens: described(
        count,
        'Prompt tokens that the model read from its cache.',
        '模型从自身缓存读取的提示 token 数。',
      ),
    }),
  ),
  completion_tokens_details: v.optional(
    v.object({ reasoning_tokens: described(count, 'Tokens of the reasoning.', '推理所用的 token 数。') }),
  ),
  estimated: v.optional(
    described(
      v.literal(true),
      'Set when the counts are estimates, because the model reported none.',
      '模型未报告用量时，数值为估算。',
    ),
  ),
});

const toolCall = v.looseObject({
  id: v.optional(v.string()),
  type: v.optional(v.string()),
  function: v.optional(v.looseObject({ name: v.optional(v.string()), arguments: v.optional(v.string()) })),
});

const extension = v.object({
  context: v.optional(
    described(
      v.object({
        rounds: described(
          count,
          'Earlier rounds (a question and its answer) in the prompt.',
          '提示中包含的先前轮数（一问一答为一轮）。',
        ),
        rounds_dropped: described(count, 'Earlier rounds that did not fit.', '放不下而省略的轮数。'),
        tokens: described(count, 'Tokens of the prompt.', '提示的 token 数。'),
        encoding: described(v.string(), 'The tokenizer that counted them.', '计数所用的分词器。'),
        summary: described(
          v.boolean(),
          'Whether a summary replaces the dropped rounds.',
          '是否用摘要代替了省略的轮次。',
        ),
      }),
      'What of the conversation the model received.',
      '模型实际收到的对话内容。',
    ),
  ),
  state: v.optional(
    described(
      v.string(),
      'The sealed conversation, to send with the next turn as `x-edgewise-state`.',
      '封存的对话，下一轮放在 `x-edgewise-state` 中发回。',
    ),
  ),
  cancelled: v.optional(described(v.literal(true), 'Set when the turn was stopped.', '该轮被中止时出现。')),
});

const finishReason = v.picklist(['stop', 'length', 'tool_calls', 'content_filter']);
const choiceText = {
  content: v.optional(v.nullable(v.string())),
  refusal: v.optional(v.nullable(v.string())),
  reasoning_content: v.optional(
    described(v.string(), 'The reasoning, when the model shows it.', '模型展示的推理内容。'),
  ),
  tool_calls: v.optional(v.array(toolCall)),
  annotations: v.optional(
    described(v.array(v.looseObject({ type: v.string() })), 'Citations of documents.', '对文档的引用。'),
  ),
};

const chatCompletion = v.object({
  id: described(v.string(), '`chatcmpl-` and the id of the turn.', '`chatcmpl-` 加该轮的 id。'),
  object: v.literal('chat.completion'),
  created: unixSeconds,
  model: described(v.string(), 'The model that answered.', '作答的模型。'),
  choices: v.array(
    v.object({
      index: v.literal(0),
      message: v.looseObject({ role: v.literal('assistant'), ...choiceText }),
      logprobs: v.nullable(v.looseObject({})),
      finish_reason: finishReason,
    }),
  ),
  usage: completionUsage,
  edgewise: v.optional(
    described(
      extension,
      'What Edgewise adds to the object of OpenAI.',
      'Edgewise 在 OpenAI 对象之外附加的内容。',
    ),
  ),
});

const chatCompletionChunk = v.object({
  id: v.string(),
  object: v.literal('chat.completion.chunk'),
  created: unixSeconds,
  model: v.string(),
  choices: described(
    v.array(
      v.object({
        index: v.literal(0),
        delta: v.looseObject({ role: v.optional(v.literal('assistant')), ...choiceText }),
        logprobs: v.optional(v.nullable(v.looseObject({}))),
        finish_reason: v.nullable(finishReason),
      }),
    ),
    'One choice; empty in the last chunk, which reports the usage.',
    '一个选项；在报告用量的最后一块中为空。',
  ),
  usage: v.optional(v.nullable(completionUsage)),
  edgewise: v.optional(extension),
});

const uiMessageChunk = v.looseObject({ type: v.string() });

export const chatSchemas = {
  ChatCompletionRequest: chatCompletionRequestSchema,
  ChatCompletion: chatCompletion,
  ChatCompletionChunk: chatCompletionChunk,
  CompletionUsage: completionUsage,
  UiChatRequest: await loadEdgeSchema('http/ui-chat-route.ts', 'uiChatSchema'),
  UiMessageChunk: uiMessageChunk,
};

const messages = [{ role: 'user', content: 'What is an edge server?' }];

export const chatOperations: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/chat/completions',
    id: 'createChatCompletion',
    area: 'chat',
    summary: { en: 'Answer a prompt, or a turn of a session', zh: '回答一条提示，或会话中的一轮' },
    text: {
      en: 'OpenAI’s Chat Completions. With `session_id` the server remembers the conversation, so `messages` holds only what is new, and the stream can be resumed. Unknown fields are passed to the model.',
      zh: '兼容 OpenAI 的 Chat Completions。带上 `session_id` 时由服务器记住对话，`messages` 只需放新消息，流也可以续传。未知字段会原样交给模型。',
    },
    parameters: [
      {
        in: 'header',
        name: 'X-Session-Id',
        text: {
          en: 'The same as `session_id`, for clients that cannot add a field.',
          zh: '等同于 `session_id`，供无法添加字段的客户端使用。',
        },
      },
      {
        in: 'header',
        name: 'X-Edgewise-State',
        text: {
          en: '`new`, or the sealed state of the previous answer: the client keeps the conversation and the server stores nothing.',
          zh: '填 `new`，或上一次回答返回的封存状态：对话由客户端保存，服务器不留存。',
        },
      },
      {
        in: 'header',
        name: 'Cache-Control',
        text: {
          en: '`no-cache`, `no-store` or `max-age=SECONDS`: how this answer may use the cache.',
          zh: '`no-cache`、`no-store` 或 `max-age=秒数`：本次回答如何使用缓存。',
        },
      },
      idempotencyKey,
    ],
    body: { schema: 'ChatCompletionRequest', example: { messages, session_id: 'demo', stream: true } },
    answers: [
      {
        status: 200,
        schema: 'ChatCompletion',
        text: { en: 'The whole answer, without `stream`.', zh: '完整回答（未设 `stream`）。' },
      },
      {
        status: 200,
        type: 'text/event-stream',
        schema: 'ChatCompletionChunk',
        text: {
          en: 'With `stream`: one chunk per event, then `data: [DONE]`. In a session each event has an `id`, for `Last-Event-ID`. A failure after the first event is an `Error` object in the stream.',
          zh: '设 `stream` 时：每个事件一个数据块，最后是 `data: [DONE]`。会话中的事件带 `id`，可用于 `Last-Event-ID`。首个事件之后的失败以 `Error` 对象出现在流中。',
        },
      },
    ],
    errors: [
      'invalid_json',
      'invalid_value',
      'missing_required_parameter',
      'model_not_found',
      'content_filter',
      'context_length_exceeded',
      'session_busy',
      'state_stale',
      'idempotency_mismatch',
      'rate_limit_exceeded',
      'insufficient_quota',
    ],
  },
  {
    method: 'post',
    path: '/api/chat',
    id: 'sendUiChat',
    area: 'chat',
    summary: { en: 'Answer a turn for the Vercel AI SDK', zh: '为 Vercel AI SDK 回答一轮' },
    text: {
      en: 'The contract of `useChat`: the whole list of UI messages, of which the newest is new. `id` is the session.',
      zh: '`useChat` 的约定：发送完整的 UI 消息列表，其中最后一条是新的；`id` 即会话。',
    },
    parameters: [idempotencyKey],
    body: {
      schema: 'UiChatRequest',
      example: { id: 'demo', messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hello' }] }] },
    },
    answers: [
      {
        status: 200,
        type: 'text/event-stream',
        schema: 'UiMessageChunk',
        text: {
          en: 'The UI message stream of the AI SDK. The header `x-workflow-run-id` names the run.',
          zh: 'AI SDK 的 UI 消息流。响应头 `x-workflow-run-id` 标明这次运行。',
        },
      },
    ],
    errors: ['invalid_value', 'content_filter', 'session_busy', 'rate_limit_exceeded'],
  },
  {
    method: 'get',
    path: '/api/chat/:id/stream',
    id: 'resumeUiChat',
    area: 'chat',
    summary: { en: 'Resume a stream of the Vercel AI SDK', zh: '续读 Vercel AI SDK 的流' },
    parameters: [
      {
        in: 'path',
        name: 'id',
        isRequired: true,
        text: {
          en: 'The id of the chat, or of a run (`run_...`).',
          zh: '对话的 id，或一次运行的 id（`run_...`）。',
        },
      },
      {
        in: 'query',
        name: 'startIndex',
        schema: { type: 'integer', minimum: 0, default: 0 },
        text: { en: 'The number of the first event to send.', zh: '从第几个事件开始发送。' },
      },
    ],
    answers: [
      {
        status: 200,
        type: 'text/event-stream',
        schema: 'UiMessageChunk',
        text: { en: 'The events and the live rest.', zh: '已有事件与后续的实时内容。' },
      },
      { status: 204, text: { en: 'No turn is running.', zh: '没有正在进行的轮次。' } },
    ],
    errors: ['turn_not_found', 'turn_expired'],
  },
];
