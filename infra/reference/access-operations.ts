/** Tokens, API keys and the cache. */
import * as v from 'valibot';
import { newApiKeySchema } from '../../shared/protocol/key-protocol.ts';
import { loadEdgeSchema } from './load-edge.ts';
import { described, noTime, type Operation, pathId, unixSeconds } from './operation.ts';

const apiKey = v.object({
  object: v.literal('api_key'),
  id: v.string(),
  name: v.string(),
  prefix: described(v.string(), 'The first characters of the key.', '密钥开头的若干字符。'),
  plan: v.string(),
  scopes: v.array(v.string()),
  created_at: unixSeconds,
  expires_at: noTime,
  revoked_at: noTime,
  last_used_at: described(
    v.nullable(v.number()),
    'Unix time in seconds, to the minute.',
    'Unix 时间，以秒计，精确到分钟。',
  ),
});

export const accessSchemas = {
  TokenExchange: await loadEdgeSchema('http/tokens-route.ts', 'exchangeSchema'),
  TokenRefresh: await loadEdgeSchema('http/tokens-route.ts', 'refreshSchema'),
  Token: v.object({
    access_token: v.string(),
    token_type: v.literal('Bearer'),
    expires_in: described(v.number(), 'Seconds.', '秒数。'),
    refresh_token: v.optional(
      described(
        v.string(),
        'For `POST /v1/tokens/refresh`, 30 days.',
        '用于 `POST /v1/tokens/refresh`，有效期 30 天。',
      ),
    ),
  }),
  NewApiKey: newApiKeySchema,
  ApiKey: apiKey,
  ApiKeyCreated: v.object({
    ...apiKey.entries,
    key: described(v.string(), 'The key itself, which is shown only here.', '密钥本身，只在此处显示一次。'),
  }),
  ApiKeyList: v.object({ object: v.literal('list'), data: v.array(apiKey) }),
  CacheRemoved: v.object({ object: v.literal('cache.removed'), removed: v.number() }),
  PreparedAnswerRequest: await loadEdgeSchema('http/cache-route.ts', 'prepareSchema'),
  PreparedAnswer: v.object({
    object: v.literal('cache.prepared'),
    key: described(v.string(), 'The value of `x-edgewise-cache-key`.', '即 `x-edgewise-cache-key` 的值。'),
    model: v.string(),
    usage: v.looseObject({}),
    paraphrases_refused: described(
      v.array(v.unknown()),
      'Paraphrases that were not accepted as evidence.',
      '未被采纳为依据的改写。',
    ),
    prepared_at: unixSeconds,
    expires_at: unixSeconds,
  }),
};

const token = { status: 200, schema: 'Token' } as const;

export const accessOperations: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/tokens',
    id: 'exchangeKey',
    area: 'access',
    summary: { en: 'Exchange an API key for a token of one user', zh: '用 API 密钥换取某个用户的令牌' },
    text: {
      en: 'Called by the back end of an app, with its API key as the bearer token. The user’s app then calls the edge with the token.',
      zh: '由应用后端以 API 密钥作为 bearer 令牌调用；用户端随后用换得的令牌访问边缘。',
    },
    body: { schema: 'TokenExchange', example: { user: 'alice', ttl_seconds: 900 } },
    answers: [{ ...token, text: { en: 'The token.', zh: '令牌。' } }],
    errors: ['insufficient_scope', 'unsupported_value', 'invalid_value'],
  },
  {
    method: 'post',
    path: '/v1/tokens/refresh',
    id: 'refreshToken',
    area: 'access',
    access: 'open',
    summary: { en: 'Renew a token', zh: '续期令牌' },
    body: { schema: 'TokenRefresh', example: { refresh_token: '...' } },
    answers: [{ ...token, text: { en: 'The next token.', zh: '新的令牌。' } }],
    errors: ['invalid_token', 'token_expired', 'unsupported_value'],
  },
  {
    method: 'post',
    path: '/v1/tokens/guest',
    id: 'createGuest',
    area: 'access',
    access: 'open',
    summary: { en: 'Get a token for a new guest', zh: '为新访客获取令牌' },
    text: { en: 'Where `EDGEWISE_GUESTS` is `on`.', zh: '仅在 `EDGEWISE_GUESTS` 为 `on` 时可用。' },
    answers: [{ ...token, text: { en: 'The token.', zh: '令牌。' } }],
    errors: ['insufficient_scope', 'unsupported_value'],
  },
  {
    method: 'get',
    path: '/v1/keys',
    id: 'listKeys',
    area: 'access',
    scope: 'admin',
    summary: { en: 'List the API keys of the tenant', zh: '列出租户的 API 密钥' },
    answers: [
      {
        status: 200,
        schema: 'ApiKeyList',
        text: { en: 'All keys, the newest first.', zh: '全部密钥，最新的在前。' },
      },
    ],
  },
  {
    method: 'post',
    path: '/v1/keys',
    id: 'createKey',
    area: 'access',
    scope: 'admin',
    summary: { en: 'Create an API key', zh: '创建 API 密钥' },
    body: { schema: 'NewApiKey', example: { name: 'my app', plan: 'free' } },
    answers: [{ status: 201, schema: 'ApiKeyCreated', text: { en: 'The key.', zh: '密钥。' } }],
    errors: ['invalid_value', 'missing_required_parameter'],
  },
  {
    method: 'delete',
    path: '/v1/keys/:id',
    id: 'revokeKey',
    area: 'access',
    scope: 'admin',
    summary: { en: 'Revoke an API key', zh: '吊销 API 密钥' },
    text: { en: 'Other edges refuse it within a minute.', zh: '其他边缘节点会在一分钟内拒绝它。' },
    parameters: [pathId('The id of the key.', '密钥的 id。')],
    answers: [{ status: 200, schema: 'ApiKey', text: { en: 'The key, revoked.', zh: '已吊销的密钥。' } }],
    errors: ['key_not_found'],
  },
  {
    method: 'delete',
    path: '/v1/cache',
    id: 'removeCachedAnswers',
    area: 'cache',
    scope: 'admin',
    summary: { en: 'Remove cached answers of the tenant', zh: '移除租户的缓存回答' },
    text: {
      en: 'Without parameters it removes all. Copies near clients last up to a minute longer.',
      zh: '不带参数时全部移除；靠近客户端的副本最多再保留一分钟。',
    },
    parameters: [
      {
        in: 'query',
        name: 'key',
        schema: { type: 'string', pattern: '^[0-9a-f]{64}$' },
        text: {
          en: 'The answer with this `x-edgewise-cache-key`.',
          zh: '`x-edgewise-cache-key` 为此值的回答。',
        },
      },
      { in: 'query', name: 'model', text: { en: 'The answers of this model.', zh: '此模型的回答。' } },
    ],
    answers: [
      { status: 200, schema: 'CacheRemoved', text: { en: 'How many were removed.', zh: '移除的数量。' } },
    ],
    errors: ['invalid_value'],
  },
  {
    method: 'post',
    path: '/v1/cache/prepared',
    id: 'prepareAnswer',
    area: 'cache',
    scope: 'admin',
    summary: { en: 'Cache the answer to a question in advance', zh: '预先缓存某个问题的回答' },
    text: {
      en: 'Asks the model once; every user of the tenant then gets the cached answer. Further fields are those of a chat completion.',
      zh: '向模型提问一次，此后租户的所有用户都得到缓存的回答。其他字段与 Chat Completions 相同。',
    },
    body: {
      schema: 'PreparedAnswerRequest',
      example: { question: 'What are your opening hours?', ttl_seconds: 86_400 },
    },
    answers: [
      { status: 200, schema: 'PreparedAnswer', text: { en: 'The answer is cached.', zh: '回答已缓存。' } },
    ],
    errors: ['unsupported_value', 'missing_required_parameter', 'invalid_value', 'answer_not_kept'],
  },
];
