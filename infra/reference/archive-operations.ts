/** What the core stores: conversations, memory settings, usage, feedback, and all data of a user. */
import * as v from 'valibot';
import { titleSchema } from '../../core/http/conversations-route.ts';
import { feedbackSchema } from '../../core/http/feedback-route.ts';
import { memorySchema } from '../../core/http/memory-route.ts';
import { corePage, described, listOf, type Operation, pathId, unixSeconds } from './operation.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const usageRow = v.object({
  day: v.optional(described(v.string(), 'UTC, as `2026-11-21`.', 'UTC 日期，如 `2026-11-21`。')),
  model: v.optional(v.string()),
  user: v.optional(v.string()),
  requests: count,
  errors: count,
  cache_hits: count,
  input_tokens: count,
  output_tokens: count,
  cached_input_tokens: count,
  cost_usd: described(
    v.number(),
    'US dollars, of the models that have a price.',
    '美元，只计标有价格的模型。',
  ),
});

const conversation = v.object({
  id: v.string(),
  object: v.literal('conversation'),
  title: v.nullable(v.string()),
  created_at: unixSeconds,
  updated_at: unixSeconds,
  snippet: v.optional(described(v.string(), 'The passage that fits the search.', '与搜索相符的片段。')),
});

export const archiveSchemas = {
  Usage: v.object({ object: v.literal('list'), data: v.array(usageRow) }),
  FeedbackRequest: feedbackSchema,
  Feedback: v.object({
    object: v.literal('feedback'),
    turn_id: v.string(),
    rating: v.picklist(['up', 'down']),
  }),
  Conversation: conversation,
  ConversationList: listOf(conversation),
  ConversationChange: titleSchema,
  Memory: v.object({
    object: v.literal('memory'),
    recall_across_conversations: described(
      v.boolean(),
      'Whether answers may use what was said in other conversations.',
      '回答是否可以使用其他对话中说过的内容。',
    ),
  }),
  MemoryChange: memorySchema,
  UserDeleted: v.object({
    object: v.literal('user.deleted'),
    id: v.string(),
    deleted: v.literal(true),
    deleted_at: unixSeconds,
    removed: described(
      v.record(v.string(), count),
      'How many of each kind were removed.',
      '各类内容移除的数量。',
    ),
    kept: described(
      v.array(v.string()),
      'What remains for a while, and how long.',
      '仍暂时保留的内容及其期限。',
    ),
  }),
};

const day = { type: 'string', format: 'date' } as const;

export const archiveOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/conversations',
    id: 'listConversations',
    area: 'archive',
    summary: { en: 'List or search conversations', zh: '列出或搜索对话' },
    parameters: [
      ...corePage,
      {
        in: 'query',
        name: 'q',
        schema: { type: 'string', maxLength: 1000 },
        text: {
          en: 'Find conversations in which something similar was said, the best first.',
          zh: '查找说过类似内容的对话，最相符的在前。',
        },
      },
    ],
    answers: [
      {
        status: 200,
        schema: 'ConversationList',
        text: { en: 'A page of conversations, the newest first.', zh: '一页对话，最新的在前。' },
      },
    ],
    errors: ['invalid_value'],
  },
  {
    method: 'patch',
    path: '/v1/conversations/:id',
    id: 'renameConversation',
    area: 'archive',
    summary: { en: 'Rename a conversation', zh: '重命名对话' },
    parameters: [
      pathId('The id of the conversation, which is that of its session.', '对话的 id，与其会话 id 相同。'),
    ],
    body: { schema: 'ConversationChange', example: { title: 'Edge servers' } },
    answers: [{ status: 200, schema: 'Conversation', text: { en: 'The conversation.', zh: '对话。' } }],
    errors: ['session_not_found', 'invalid_value'],
  },
  {
    method: 'get',
    path: '/v1/memory',
    id: 'readMemory',
    area: 'archive',
    summary: { en: 'Read the memory settings of the user', zh: '读取用户的记忆设置' },
    answers: [{ status: 200, schema: 'Memory', text: { en: 'The settings.', zh: '设置。' } }],
  },
  {
    method: 'patch',
    path: '/v1/memory',
    id: 'changeMemory',
    area: 'archive',
    summary: { en: 'Change the memory settings of the user', zh: '修改用户的记忆设置' },
    body: { schema: 'MemoryChange', example: { recall_across_conversations: false } },
    answers: [{ status: 200, schema: 'Memory', text: { en: 'The settings.', zh: '设置。' } }],
    errors: ['invalid_type', 'missing_required_parameter'],
  },
  {
    method: 'get',
    path: '/v1/usage',
    id: 'readUsage',
    area: 'archive',
    summary: { en: 'Read what was used', zh: '读取用量' },
    parameters: [
      {
        in: 'query',
        name: 'from',
        schema: day,
        text: {
          en: 'The first day, UTC; 30 days before the last one by default.',
          zh: '起始日（UTC）；默认为截止日前 30 天。',
        },
      },
      {
        in: 'query',
        name: 'to',
        schema: day,
        text: {
          en: 'The last day, UTC, included; today by default.',
          zh: '截止日（UTC，含当日）；默认为今天。',
        },
      },
      {
        in: 'query',
        name: 'by',
        schema: { type: 'string', default: 'day,model' },
        text: {
          en: 'Groups: `day`, `model`, `user`, with commas between.',
          zh: '分组方式：`day`、`model`、`user`，以逗号分隔。',
        },
      },
      {
        in: 'query',
        name: 'all',
        schema: { type: 'string', enum: ['true', 'false'], default: 'false' },
        text: {
          en: '`true` for all users of the tenant; needs the scope `admin`.',
          zh: '设为 `true` 时统计租户的所有用户；需要 `admin` 权限。',
        },
      },
    ],
    answers: [
      { status: 200, schema: 'Usage', text: { en: 'One row per group.', zh: '每组一行。' } },
      {
        status: 200,
        type: 'text/csv',
        text: { en: 'The same as CSV, with `Accept: text/csv`.', zh: '带 `Accept: text/csv` 时返回 CSV。' },
      },
    ],
    errors: ['invalid_value', 'insufficient_scope'],
  },
  {
    method: 'post',
    path: '/v1/feedback',
    id: 'giveFeedback',
    area: 'archive',
    summary: { en: 'Rate an answer', zh: '评价回答' },
    text: {
      en: 'A later rating of the same turn replaces the earlier one.',
      zh: '对同一轮再次评价会替换先前的评价。',
    },
    body: { schema: 'FeedbackRequest', example: { turn_id: 'chatcmpl-...', rating: 'up' } },
    answers: [{ status: 200, schema: 'Feedback', text: { en: 'The rating is stored.', zh: '评价已保存。' } }],
    errors: ['turn_not_found', 'invalid_value'],
  },
  {
    method: 'get',
    path: '/v1/export',
    id: 'exportUser',
    area: 'archive',
    summary: { en: 'Export everything that is stored of a user', zh: '导出某个用户的全部数据' },
    parameters: [
      {
        in: 'query',
        name: 'user',
        text: {
          en: 'Another user of the tenant; needs the scope `admin`.',
          zh: '租户内的另一位用户；需要 `admin` 权限。',
        },
      },
    ],
    answers: [
      {
        status: 200,
        type: 'application/jsonl',
        text: {
          en: 'One JSON object per line, each with a `type`.',
          zh: '每行一个 JSON 对象，均带 `type`。',
        },
      },
    ],
    errors: ['unsupported_value', 'insufficient_scope', 'core_unavailable'],
  },
  {
    method: 'delete',
    path: '/v1/users/:id',
    id: 'deleteUser',
    area: 'archive',
    summary: { en: 'Delete everything that is stored of a user', zh: '删除某个用户的全部数据' },
    text: {
      en: 'Oneself; another user needs the scope `admin`. Repeat it after a failure.',
      zh: '可删除自己的数据；删除他人需要 `admin` 权限。失败后可重复调用。',
    },
    parameters: [pathId('The id of the user.', '用户的 id。')],
    answers: [{ status: 200, schema: 'UserDeleted', text: { en: 'What was removed.', zh: '移除的内容。' } }],
    errors: ['insufficient_scope'],
  },
];
