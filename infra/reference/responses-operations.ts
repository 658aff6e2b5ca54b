/** OpenAI's Responses API. */
import * as v from 'valibot';
import { loadEdgeSchema } from './load-edge.ts';
import {
  deletion,
  described,
  idempotencyKey,
  listOf,
  type Operation,
  pathId,
  unixSeconds,
} from './operation.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const itemStatus = v.picklist(['in_progress', 'completed', 'incomplete']);
const annotation = v.looseObject({ type: v.string() });

const contentPart = v.variant('type', [
  v.object({
    type: v.literal('output_text'),
    text: v.string(),
    annotations: v.array(annotation),
    logprobs: v.array(v.looseObject({})),
  }),
  v.object({ type: v.literal('refusal'), refusal: v.string() }),
  v.object({ type: v.literal('reasoning_text'), text: v.string() }),
]);

const outputItem = v.variant('type', [
  v.object({
    id: v.string(),
    type: v.literal('message'),
    status: itemStatus,
    role: v.literal('assistant'),
    content: v.array(contentPart),
  }),
  v.object({
    id: v.string(),
    type: v.literal('reasoning'),
    status: itemStatus,
    summary: v.array(v.looseObject({})),
    content: v.array(contentPart),
  }),
  v.object({
    id: v.string(),
    type: v.literal('function_call'),
    status: itemStatus,
    call_id: v.string(),
    name: v.string(),
    arguments: described(v.string(), 'JSON, as the model wrote it.', 'JSON 文本，与模型所写一致。'),
  }),
]);

const responseObject = v.looseObject({
  id: described(
    v.string(),
    '`resp_`, the id of the turn, `_` and the session.',
    '`resp_`、该轮的 id、`_` 与会话 id。',
  ),
  object: v.literal('response'),
  created_at: unixSeconds,
  status: described(
    v.picklist(['in_progress', 'completed', 'incomplete', 'cancelled', 'failed']),
    'How far the response is, or how it ended.',
    '回答的进度，或结束方式。',
  ),
  model: v.string(),
  output: v.array(outputItem),
  output_text: described(v.string(), 'The text of all messages in `output`.', '`output` 中所有消息的文本。'),
  error: described(
    v.nullable(v.object({ code: v.string(), message: v.string() })),
    'Why it failed. `edgewise.error` holds the full error.',
    '失败原因；完整错误见 `edgewise.error`。',
  ),
  incomplete_details: v.nullable(v.object({ reason: v.picklist(['max_output_tokens', 'content_filter']) })),
  usage: v.nullable(
    v.object({
      input_tokens: count,
      input_tokens_details: v.object({ cached_tokens: count }),
      output_tokens: count,
      output_tokens_details: v.object({ reasoning_tokens: count }),
      total_tokens: count,
      estimated: v.optional(v.literal(true)),
    }),
  ),
  edgewise: v.optional(
    described(
      v.looseObject({}),
      'What Edgewise adds: `route`, `context`, `cache`, `fallback`, `error`.',
      'Edgewise 附加的内容：`route`、`context`、`cache`、`fallback`、`error`。',
    ),
  ),
});

const number = v.pipe(v.number(), v.integer(), v.minValue(0));
const place = { item_id: v.string(), output_index: number, content_index: number, sequence_number: number };
const logprobs = v.array(v.looseObject({}));
const event = <const Type extends string, const Fields extends v.ObjectEntries>(type: Type, fields: Fields) =>
  v.object({ type: v.literal(type), sequence_number: number, ...fields });

const responseEvent = v.variant('type', [
  event('response.created', { response: responseObject }),
  event('response.in_progress', { response: responseObject }),
  event('response.output_item.added', { output_index: number, item: outputItem }),
  event('response.content_part.added', { ...place, part: contentPart }),
  event('response.output_text.delta', { ...place, delta: v.string(), logprobs }),
  event('response.refusal.delta', { ...place, delta: v.string() }),
  event('response.reasoning_text.delta', { ...place, delta: v.string() }),
  event('response.function_call_arguments.delta', {
    item_id: v.string(),
    output_index: number,
    delta: v.string(),
  }),
  event('response.output_text.annotation.added', { ...place, annotation_index: number, annotation }),
  event('response.edgewise.extra', { fields: v.looseObject({}) }),
  event('response.output_text.done', { ...place, text: v.string(), logprobs }),
  event('response.refusal.done', { ...place, refusal: v.string() }),
  event('response.reasoning_text.done', { ...place, text: v.string() }),
  event('response.content_part.done', { ...place, part: contentPart }),
  event('response.function_call_arguments.done', {
    item_id: v.string(),
    output_index: number,
    name: v.string(),
    arguments: v.string(),
  }),
  event('response.output_item.done', { output_index: number, item: outputItem }),
  event('response.completed', { response: responseObject }),
  event('response.incomplete', { response: responseObject }),
  event('response.failed', { response: responseObject }),
]);

export const responsesSchemas = {
  ResponsesRequest: await loadEdgeSchema('wire/responses-schema.ts', 'responsesRequestSchema'),
  Response: responseObject,
  ResponseOutputItem: outputItem,
  ResponseContentPart: contentPart,
  ResponseEvent: responseEvent,
  ResponseInputItems: listOf(v.looseObject({ id: v.string(), type: v.string() })),
  ResponseDeleted: deletion('response'),
};

const id = pathId('The id of the response.', '回答的 id。');
const notFound = ['response_not_found'] as const;
const whole = { status: 200, schema: 'Response' } as const;
const stream = { status: 200, type: 'text/event-stream', schema: 'ResponseEvent' } as const;

export const responsesOperations: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/responses',
    id: 'createResponse',
    area: 'responses',
    summary: { en: 'Create a response', zh: '创建回答' },
    text: {
      en: 'OpenAI’s Responses. `conversation` is the session; `previous_response_id` continues after a response; `background` answers at once and lets the turn run; `store: false` keeps nothing.',
      zh: '兼容 OpenAI 的 Responses。`conversation` 即会话；`previous_response_id` 接着某个回答继续；`background` 立即返回并让该轮在后台进行；`store: false` 不保存任何内容。',
    },
    parameters: [idempotencyKey],
    body: { schema: 'ResponsesRequest', example: { input: 'What is an edge server?', conversation: 'demo' } },
    answers: [
      {
        ...whole,
        text: {
          en: 'The response; with `background` it is `in_progress`.',
          zh: '回答对象；设 `background` 时状态为 `in_progress`。',
        },
      },
      {
        ...stream,
        text: {
          en: 'With `stream`: one event of the Responses stream per event. There is no `[DONE]`.',
          zh: '设 `stream` 时：逐个发送 Responses 流事件，没有 `[DONE]`。',
        },
      },
    ],
    errors: [
      'invalid_json',
      'invalid_value',
      'missing_required_parameter',
      'response_not_found',
      'content_filter',
      'session_busy',
      'idempotency_mismatch',
      'rate_limit_exceeded',
    ],
  },
  {
    method: 'get',
    path: '/v1/responses/:id',
    id: 'readResponse',
    area: 'responses',
    summary: { en: 'Read a response, or resume its stream', zh: '读取回答，或续读其流' },
    parameters: [
      id,
      {
        in: 'query',
        name: 'stream',
        schema: { type: 'boolean', default: false },
        text: {
          en: '`true` for the events instead of the object.',
          zh: '设为 `true` 时返回事件流而非对象。',
        },
      },
      {
        in: 'query',
        name: 'starting_after',
        schema: { type: 'integer', minimum: 0 },
        text: {
          en: 'The `sequence_number` of the last event that the client has.',
          zh: '客户端已有的最后一个事件的 `sequence_number`。',
        },
      },
    ],
    answers: [
      { ...whole, text: { en: 'The response as far as it is.', zh: '目前为止的回答。' } },
      {
        ...stream,
        text: {
          en: 'With `stream=true`: the events, then the live rest.',
          zh: '设 `stream=true` 时：已有事件，随后是实时内容。',
        },
      },
    ],
    errors: notFound,
  },
  {
    method: 'delete',
    path: '/v1/responses/:id',
    id: 'deleteResponse',
    area: 'responses',
    summary: { en: 'Delete a response', zh: '删除回答' },
    text: {
      en: 'Stops it if it runs. The messages stay in the conversation; `POST /v1/sessions/{id}/forget` removes them.',
      zh: '若正在进行则先中止。消息仍留在对话中；要移除消息请用 `POST /v1/sessions/{id}/forget`。',
    },
    parameters: [id],
    answers: [{ status: 200, schema: 'ResponseDeleted', text: { en: 'It is deleted.', zh: '已删除。' } }],
    errors: notFound,
  },
  {
    method: 'post',
    path: '/v1/responses/:id/cancel',
    id: 'cancelResponse',
    area: 'responses',
    summary: { en: 'Cancel a response', zh: '取消回答' },
    text: {
      en: 'Aborts the model call. Repeating it changes nothing.',
      zh: '中止模型调用；重复调用不会有其他影响。',
    },
    parameters: [id],
    answers: [{ ...whole, text: { en: 'The response as it ended.', zh: '结束时的回答。' } }],
    errors: notFound,
  },
  {
    method: 'get',
    path: '/v1/responses/:id/input_items',
    id: 'listInputItems',
    area: 'responses',
    summary: { en: 'List the input of a response', zh: '列出回答的输入' },
    parameters: [id],
    answers: [
      {
        status: 200,
        schema: 'ResponseInputItems',
        text: { en: 'The items that were sent.', zh: '当时发送的输入项。' },
      },
    ],
    errors: notFound,
  },
];
