/** Sessions: conversations that the edge keeps, and the streams of their turns. */
import * as v from 'valibot';
import { completionUsage } from './chat-operations.ts';
import { loadEdgeSchema } from './load-edge.ts';
import { deletion, described, type Operation, sessionId, turnIdSchema, unixSeconds } from './operation.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const turnId = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/));

const session = v.object({
  id: v.string(),
  object: v.literal('session'),
  created_at: unixSeconds,
  updated_at: unixSeconds,
  rounds: described(count, 'Questions that were asked.', '提问的次数。'),
});

const message = v.looseObject({
  position: described(count, 'The number of the message, from 1.', '消息的序号，从 1 开始。'),
  id: v.string(),
  parent_id: described(
    v.nullable(v.string()),
    'The message that it follows; null for the first.',
    '它所跟随的消息；首条为 null。',
  ),
  turn_id: described(turnId, 'The turn that wrote it.', '写入它的轮次。'),
  created_at: unixSeconds,
  role: v.string(),
});

export const sessionsSchemas = {
  SessionList: v.object({ object: v.literal('list'), data: v.array(session), has_more: v.boolean() }),
  Session: v.object({
    id: v.string(),
    object: v.literal('session'),
    message_count: described(count, 'All messages, of every branch.', '全部消息数，含所有分支。'),
    messages: v.array(message),
    has_more: described(v.boolean(), 'Whether there are earlier messages.', '是否还有更早的消息。'),
  }),
  SessionDeleted: deletion('session.deleted'),
  StopRequest: await loadEdgeSchema('http/sessions-route.ts', 'stopSchema'),
  StopResult: v.object({
    object: v.literal('session.stop'),
    turn_id: turnId,
    status: described(
      v.picklist(['cancelled', 'finished']),
      '`finished` when the turn had ended before.',
      '该轮此前已结束时为 `finished`。',
    ),
    text: described(v.string(), 'The text that was written until then.', '到那时为止写出的文本。'),
    usage: v.pick(completionUsage, ['prompt_tokens', 'completion_tokens', 'total_tokens', 'estimated']),
  }),
  ForgetRequest: await loadEdgeSchema('http/sessions-route.ts', 'forgetSchema'),
  TurnForgotten: v.object({
    object: v.literal('session.turn.forgotten'),
    session_id: v.string(),
    turn_id: turnId,
  }),
};

const stream = { status: 200, type: 'text/event-stream', schema: 'ChatCompletionChunk' } as const;
const limit = {
  in: 'query',
  name: 'limit',
  schema: { type: 'integer', minimum: 1, maximum: 500, default: 100 },
} as const;

export const sessionsOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/sessions',
    id: 'listSessions',
    area: 'sessions',
    summary: { en: 'List the sessions of the user', zh: '列出用户的会话' },
    text: { en: 'The most recently changed first.', zh: '最近有变化的排在最前。' },
    parameters: [
      { ...limit, text: { en: 'Most entries to return.', zh: '最多返回多少条。' } },
      {
        in: 'query',
        name: 'after',
        text: { en: 'Return what follows the session with this id.', zh: '返回此会话之后的条目。' },
      },
    ],
    answers: [{ status: 200, schema: 'SessionList', text: { en: 'A page of sessions.', zh: '一页会话。' } }],
    errors: ['invalid_value'],
  },
  {
    method: 'get',
    path: '/v1/sessions/:id',
    id: 'readSession',
    area: 'sessions',
    summary: { en: 'Read the messages of a session', zh: '读取会话中的消息' },
    parameters: [
      sessionId,
      {
        ...limit,
        text: {
          en: 'Most messages to return: the newest ones, oldest first.',
          zh: '最多返回多少条：取最新的若干条，按时间正序。',
        },
      },
      {
        in: 'query',
        name: 'before',
        schema: { type: 'integer', minimum: 1 },
        text: { en: 'Return messages before this position.', zh: '返回此序号之前的消息。' },
      },
    ],
    answers: [
      { status: 200, schema: 'Session', text: { en: 'The session and its messages.', zh: '会话及其消息。' } },
    ],
    errors: ['session_not_found', 'invalid_value'],
  },
  {
    method: 'delete',
    path: '/v1/sessions/:id',
    id: 'deleteSession',
    area: 'sessions',
    summary: { en: 'Delete a session', zh: '删除会话' },
    text: {
      en: 'Stops its running turn, closes its sockets and removes its messages, here and in the archive.',
      zh: '中止进行中的轮次、关闭其连接，并在边缘与归档中移除消息。',
    },
    parameters: [sessionId],
    answers: [{ status: 200, schema: 'SessionDeleted', text: { en: 'It is deleted.', zh: '已删除。' } }],
    errors: ['session_not_found'],
  },
  {
    method: 'get',
    path: '/v1/sessions/:id/stream',
    id: 'resumeSession',
    area: 'sessions',
    summary: { en: 'Join or resume the stream of a turn', zh: '加入或续读某一轮的流' },
    text: {
      en: 'The turn that `Last-Event-ID` or `turn` names, else the running one. With a cursor the stream begins right after it.',
      zh: '读取 `Last-Event-ID` 或 `turn` 指明的轮次，否则为正在进行的一轮；带游标时从其后继续。',
    },
    parameters: [
      sessionId,
      {
        in: 'header',
        name: 'Last-Event-ID',
        schema: { type: 'string', pattern: '^[0-9a-f]{32}:\\d{1,15}$' },
        text: {
          en: 'The `id` of the last event that the client has.',
          zh: '客户端已有的最后一个事件的 `id`。',
        },
      },
      {
        in: 'query',
        name: 'turn',
        schema: turnIdSchema,
        text: { en: 'The id of the turn.', zh: '轮次的 id。' },
      },
      {
        in: 'query',
        name: 'starting_after',
        schema: { type: 'integer', minimum: 0 },
        text: {
          en: 'The number of the last event that the client has.',
          zh: '客户端已有的最后一个事件的编号。',
        },
      },
    ],
    answers: [
      {
        ...stream,
        text: {
          en: 'The chunks, then the live rest, then `data: [DONE]`.',
          zh: '已有数据块、随后的实时内容，最后是 `data: [DONE]`。',
        },
      },
      { status: 204, text: { en: 'No turn is running.', zh: '没有正在进行的轮次。' } },
    ],
    errors: ['invalid_value', 'turn_not_found', 'turn_expired'],
  },
  {
    method: 'get',
    path: '/v1/sessions/:id/ws',
    id: 'connectSession',
    area: 'sessions',
    summary: { en: 'Open a WebSocket to a session', zh: '打开会话的 WebSocket' },
    text: {
      en: 'Every turn of the session, live, as JSON frames of the Responses stream with a `response_id`. The subprotocol is `edgewise.v1`; a browser sends its token as a second subprotocol, `edgewise.token.TOKEN`. Frames to send: `response.create`, `response.cancel`, `edgewise.resume`, `edgewise.ack`, and the text `ping`.',
      zh: '实时接收会话的每一轮：JSON 帧即带 `response_id` 的 Responses 流事件。子协议为 `edgewise.v1`；浏览器把令牌放在第二个子协议 `edgewise.token.TOKEN` 中。可发送的帧：`response.create`、`response.cancel`、`edgewise.resume`、`edgewise.ack`，以及文本 `ping`。',
    },
    parameters: [
      sessionId,
      {
        in: 'header',
        name: 'Upgrade',
        isRequired: true,
        schema: { type: 'string', const: 'websocket' },
        text: { en: 'A WebSocket upgrade.', zh: 'WebSocket 升级请求。' },
      },
      {
        in: 'query',
        name: 'response_id',
        text: {
          en: 'The response of the last event that the client has.',
          zh: '客户端已有的最后一个事件所属的回答。',
        },
      },
      {
        in: 'query',
        name: 'starting_after',
        schema: { type: 'integer', minimum: 0 },
        text: { en: 'The `sequence_number` of that event.', zh: '该事件的 `sequence_number`。' },
      },
    ],
    answers: [
      { status: 101, text: { en: 'The connection is a WebSocket.', zh: '连接已升级为 WebSocket。' } },
    ],
    errors: ['upgrade_required', 'origin_not_allowed', 'response_not_found'],
  },
  {
    method: 'post',
    path: '/v1/sessions/:id/stop',
    id: 'stopSession',
    area: 'sessions',
    summary: { en: 'Stop a turn', zh: '中止一轮' },
    text: {
      en: 'Aborts the model call and keeps what was written. Without a body it stops the running turn.',
      zh: '中止模型调用并保留已写内容；不带请求体时中止正在进行的一轮。',
    },
    parameters: [sessionId],
    body: { schema: 'StopRequest', isOptional: true },
    answers: [
      { status: 200, schema: 'StopResult', text: { en: 'How the turn ended.', zh: '该轮的结束情况。' } },
    ],
    errors: ['turn_not_found', 'invalid_value'],
  },
  {
    method: 'post',
    path: '/v1/sessions/:id/forget',
    id: 'forgetTurn',
    area: 'sessions',
    summary: { en: 'Remove the content of a turn', zh: '移除某一轮的内容' },
    text: {
      en: 'Here, in the archive, in memory and in the cache.',
      zh: '从边缘、归档、记忆和缓存中一并移除。',
    },
    parameters: [sessionId],
    body: { schema: 'ForgetRequest', example: { turn_id: '0123456789abcdef0123456789abcdef' } },
    answers: [
      { status: 200, schema: 'TurnForgotten', text: { en: 'The content is removed.', zh: '内容已移除。' } },
    ],
    errors: ['session_not_found', 'turn_not_found', 'invalid_value'],
  },
];
