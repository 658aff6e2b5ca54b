/**
 * What each environment variable does. A description in the schema itself takes the place of the English text here.
 * A test finds a variable without a text, and a text without a variable.
 */
import type { Text } from './operation.ts';

const text = (en: string, zh: string): Text => ({ en, zh });

export const localTexts: Readonly<Record<string, Text>> = {
  PORT: text('Port of the edge.', '边缘的端口。'),
  CORE_PORT: text('Port of the core.', '核心的端口。'),
  EDGEWISE_DATA: text(
    'Folder of all local state: secrets, logs, databases.',
    '存放全部本地状态的目录：密钥、日志、数据库。',
  ),
};

export const edgeTexts: Readonly<Record<string, Text>> = {
  EDGEWISE_CORE_URL: text(
    'Addresses of the core, one per region. Local start sets it.',
    '核心的地址，每个区域一个。本地启动时自动设置。',
  ),
  EDGEWISE_SERVICE_SECRET: text(
    'Signs the calls from the edge to the core; the same on both sides.',
    '签署边缘对核心的调用；两侧须相同。',
  ),
  EDGEWISE_JWT_ALGORITHM: text(
    'The only signature algorithm that tokens may have.',
    '令牌唯一允许的签名算法。',
  ),
  EDGEWISE_JWT_SECRET: text(
    'Verifies tokens with HS256; at least 32 characters.',
    '用 HS256 校验令牌的密钥；至少 32 个字符。',
  ),
  EDGEWISE_JWKS_URL: text(
    'The key set that verifies tokens with RS256, ES256 or EdDSA.',
    '用 RS256、ES256 或 EdDSA 校验令牌时所用的公钥集地址。',
  ),
  EDGEWISE_JWT_ISSUER: text('The `iss` that tokens must have.', '令牌必须带有的 `iss`。'),
  EDGEWISE_JWT_AUDIENCE: text('The `aud` that tokens must have.', '令牌必须带有的 `aud`。'),
  EDGEWISE_TOKEN_SECRET: text(
    'Signs the tokens that the edge issues; at least 32 characters. Without it the edge issues none, unless HS256 is used.',
    '签署边缘自行签发的令牌；至少 32 个字符。未设且不使用 HS256 时，边缘不签发令牌。',
  ),
  EDGEWISE_GUESTS: text(
    'Whether visitors without a token can get a guest token.',
    '没有令牌的访客能否获取访客令牌。',
  ),
  EDGEWISE_OIDC_ISSUER: text(
    'The identity provider with which people sign in on the chat page.',
    '聊天页面登录所用的身份提供方。',
  ),
  EDGEWISE_OIDC_CLIENT_ID: text(
    'The client id of the chat page at that provider.',
    '聊天页面在该提供方的客户端 id。',
  ),
  EDGEWISE_OIDC_SCOPE: text('The scopes that the chat page requests.', '聊天页面请求的权限范围。'),
  EDGEWISE_CORS_ORIGINS: text(
    'Origins from which browsers may call, or `*`.',
    '允许浏览器跨域调用的来源，或 `*`。',
  ),
  EDGEWISE_MAX_BODY_BYTES: text('Largest request body, in bytes.', '请求体的最大字节数。'),
  EDGEWISE_MAX_UPLOAD_BYTES: text('Largest uploaded form, in bytes.', '上传表单的最大字节数。'),
  EDGEWISE_BODY_TIMEOUT_MS: text(
    'How long a request body may take to arrive, in milliseconds.',
    '接收请求体的最长时间（毫秒）。',
  ),
  EDGEWISE_WINDOW_ROUNDS: text(
    'Most earlier rounds of a conversation that are sent to the model.',
    '发送给模型的先前轮数上限。',
  ),
  EDGEWISE_WINDOW_TOKENS: text(
    'Most tokens of the conversation that are sent to the model.',
    '发送给模型的对话 token 数上限。',
  ),
  EDGEWISE_LIGHT_BASE_URL: text(
    'Address of the light model, which the edge calls itself for easy prompts.',
    '轻量模型的地址；简单提示由边缘直接调用它。',
  ),
  EDGEWISE_LIGHT_API_KEY: text('Key of the light model.', '轻量模型的密钥。'),
  EDGEWISE_LIGHT_MODEL: text('Name of the light model.', '轻量模型的名称。'),
  EDGEWISE_LIGHT_MAX_OUTPUT_TOKENS: text(
    'Most tokens of an answer of the light model.',
    '轻量模型单次回答的最大 token 数。',
  ),
  EDGEWISE_WORKERS_AI_MODEL: text(
    'A model of Workers AI as the light model.',
    '用作轻量模型的 Workers AI 模型。',
  ),
  EDGEWISE_HEARTBEAT_MS: text(
    'A stream without events sends a comment after this time, in milliseconds.',
    '流中无事件时，隔多久发送一次注释（毫秒）。',
  ),
  EDGEWISE_TURN_TIMEOUT_MS: text(
    'Longest time of a turn, from its arrival, in milliseconds.',
    '一轮从到达起的最长时间（毫秒）。',
  ),
  EDGEWISE_SESSION_TTL_HOURS: text(
    'How long a session is kept after its last turn, in hours.',
    '会话在最后一轮之后保留多久（小时）。',
  ),
  EDGEWISE_TURN_TTL_MINUTES: text(
    'How long the events of a turn can be read again after its end, in minutes.',
    '一轮结束后，其事件可供重读多久（分钟）。',
  ),
  EDGEWISE_STATE_KEYS: text(
    'Keys for sealed conversations, as `id:secret`, the current one first. Without keys clients cannot keep conversations.',
    '封存对话的密钥，写作 `id:secret`，当前所用的放在最前。未设时客户端不能自行保存对话。',
  ),
  EDGEWISE_STATE_MAX_CHARS: text('Largest sealed conversation, in characters.', '封存对话的最大字符数。'),
  EDGEWISE_FILTER_FAILURE: text(
    'What happens when a content filter fails: `closed` refuses, `open` lets the text pass.',
    '内容过滤出错时的处理：`closed` 拒绝，`open` 放行。',
  ),
  EDGEWISE_MASK_PERSONAL_DATA: text(
    'Kinds of personal data that are masked: `email`, `phone`, `id-card`, `bank-card`, `secret`.',
    '需要遮盖的个人信息种类：`email`、`phone`、`id-card`、`bank-card`、`secret`。',
  ),
  EDGEWISE_MODERATION_URL: text('A moderation service that checks prompts.', '检查提示的审核服务地址。'),
  EDGEWISE_MODERATION_API_KEY: text('Key of the moderation service.', '审核服务的密钥。'),
  EDGEWISE_MODERATION_MODEL: text('Model of the moderation service.', '审核服务的模型。'),
  EDGEWISE_MODERATION_ANSWERS: text(
    'Whether answers are checked too, and whether before or after they are sent.',
    '是否也检查回答，以及在发送之前还是之后检查。',
  ),
  EDGEWISE_LIMITS: text('Whether the limits of plans apply.', '是否启用套餐限额。'),
  EDGEWISE_PLANS: text(
    'Plans as JSON, which replace the built-in ones by name.',
    '以 JSON 书写的套餐，按名称替换内置套餐。',
  ),
  EDGEWISE_KNOWLEDGE_TENANTS: text(
    'Tenants whose prompts for `auto` search documents by default; `*` for all.',
    '默认对 `auto` 提示检索文档的租户；`*` 表示全部。',
  ),
  EDGEWISE_LOG_LEVEL: text('The least severe level that is logged.', '记录日志的最低级别。'),
  EDGEWISE_METRICS_TOKEN: text(
    'The bearer token for `GET /metrics`; at least 16 characters. Without it nobody can read them.',
    '读取 `GET /metrics` 的 bearer 令牌；至少 16 个字符。未设时无法读取。',
  ),
  EDGEWISE_OTLP_URL: text('Where traces are sent, by OTLP over HTTP.', '链路追踪的上报地址（OTLP/HTTP）。'),
  EDGEWISE_OTLP_AUTHORIZATION: text(
    'The `Authorization` header for that address.',
    '上报时使用的 `Authorization` 头。',
  ),
  EDGEWISE_TRACE_SAMPLE: text(
    'The share of new traces that are sent, from 0 to 1.',
    '新链路的采样比例，从 0 到 1。',
  ),
  EDGEWISE_ARCHIVE: text(
    'Whether the core stores every turn in its database.',
    '核心是否把每一轮存入数据库。',
  ),
  EDGEWISE_CACHE: text('Whether answers are cached.', '是否缓存回答。'),
  EDGEWISE_CACHE_TTL_SECONDS: text(
    'How long a cached answer is fresh, in seconds.',
    '缓存回答的有效时长（秒）。',
  ),
  EDGEWISE_CACHE_STALE_SECONDS: text(
    'How long a stale answer is still served while a new one is fetched, in seconds.',
    '过期后在重新获取期间仍可使用多久（秒）。',
  ),
  EDGEWISE_CACHE_ISOLATE_BYTES: text(
    'Memory for cached answers in each isolate, in bytes.',
    '每个 isolate 用于缓存回答的内存（字节）。',
  ),
  EDGEWISE_CACHE_CHARS_PER_SECOND: text(
    'How fast a cached answer is streamed, in characters per second; 0 for at once.',
    '流式返回缓存回答的速度（每秒字符数）；0 表示立即返回。',
  ),
  EDGEWISE_CACHE_POLICY: text(
    'Any text; another one invalidates all cached answers.',
    '任意文本；更换后所有缓存回答失效。',
  ),
  EDGEWISE_CACHE_SHARED_TENANTS: text(
    'Tenants whose users share cached answers; `*` for all.',
    '用户之间共享缓存回答的租户；`*` 表示全部。',
  ),
  EDGEWISE_SEMANTIC_TENANTS: text(
    'Tenants that use the semantic cache; `*` for all.',
    '启用语义缓存的租户；`*` 表示全部。',
  ),
  EDGEWISE_SEMANTIC_DELTA: text(
    'Largest expected share of wrong answers of the semantic cache.',
    '语义缓存允许的错误回答比例上限。',
  ),
  EDGEWISE_EMBEDDINGS_BASE_URL: text(
    'Address of the embeddings for the semantic cache.',
    '语义缓存所用向量服务的地址。',
  ),
  EDGEWISE_EMBEDDINGS_API_KEY: text('Key of the embeddings.', '向量服务的密钥。'),
  EDGEWISE_EMBEDDINGS_MODEL: text('Model of the embeddings.', '向量服务的模型。'),
  EDGEWISE_WORKERS_AI_EMBEDDINGS_MODEL: text(
    'A model of Workers AI for the embeddings.',
    '用于生成向量的 Workers AI 模型。',
  ),
  EDGEWISE_JUDGE_MODEL: text(
    'A model of the core that judges whether two questions mean the same.',
    '判断两个问题含义是否相同的核心模型。',
  ),
  UPSTASH_REDIS_REST_URL: text(
    'Address of Upstash Redis. With it conversations, limits and cached answers are shared by all edges.',
    'Upstash Redis 的地址。设置后对话、限额与缓存由所有边缘节点共享。',
  ),
  UPSTASH_REDIS_REST_TOKEN: text('Token of Upstash Redis.', 'Upstash Redis 的令牌。'),
};

export const coreTexts: Readonly<Record<string, Text>> = {
  CORE_HOST: text('Address on which the core listens.', '核心监听的地址。'),
  CORE_PORT: text('Port on which the core listens.', '核心监听的端口。'),
  EDGEWISE_SERVICE_SECRET: text(
    'Verifies the calls of the edge; the same on both sides.',
    '校验边缘的调用；两侧须相同。',
  ),
  EDGEWISE_SERVICE_SECRET_PREVIOUS: text(
    'The secret before the present one, still accepted: set it on every core, change the secret on core and edge, then remove it.',
    '更换前的密钥，仍被接受：先在每个核心上设置它，再更换核心与边缘的密钥，最后移除它。',
  ),
  EDGEWISE_MODELS_FILE: text('The models file: models, prices, ladders.', '模型文件：模型、价格与降级顺序。'),
  EDGEWISE_KNOWLEDGE_DIR: text(
    'Folder of Markdown files that the extractive model quotes.',
    '抽取式模型引用的 Markdown 文件目录。',
  ),
  DATABASE_URL: text(
    'Address of PostgreSQL. Without it an embedded database is used.',
    'PostgreSQL 的地址。未设时使用内嵌数据库。',
  ),
  EDGEWISE_DATABASE_DIR: text('Folder of the embedded database.', '内嵌数据库的目录。'),
  EDGEWISE_OPEN_DATABASE: text(
    'Whether the database is opened at start instead of at the first use.',
    '是否在启动时（而非首次使用时）打开数据库。',
  ),
  EDGEWISE_REDIS_URL: text(
    'Address of Redis, where several core instances share generations and quotas.',
    'Redis 的地址；多个核心实例借此共享生成过程与配额。',
  ),
  EDGEWISE_METRICS_TOKEN: text(
    'The bearer token for `GET /metrics`; at least 16 characters. Without it nobody can read them.',
    '读取 `GET /metrics` 的 bearer 令牌；至少 16 个字符。未设时无法读取。',
  ),
  EDGEWISE_OTLP_URL: text('Where traces are sent, by OTLP over HTTP.', '链路追踪的上报地址（OTLP/HTTP）。'),
  EDGEWISE_OTLP_AUTHORIZATION: text(
    'The `Authorization` header for that address.',
    '上报时使用的 `Authorization` 头。',
  ),
  EDGEWISE_GRACE_MS: text(
    'How long a shutdown waits for running generations, in milliseconds.',
    '关闭时等待进行中生成的时长（毫秒）。',
  ),
  EDGEWISE_HEARTBEAT_MS: text(
    'A stream without events sends a comment after this time, in milliseconds.',
    '流中无事件时，隔多久发送一次注释（毫秒）。',
  ),
  EDGEWISE_MAX_GENERATION_MS: text(
    'Longest time of a generation, in milliseconds.',
    '一次生成的最长时间（毫秒）。',
  ),
  EDGEWISE_MAX_GENERATIONS: text('Most generations that run at once.', '同时进行的生成数上限。'),
  EDGEWISE_MAX_WAITING: text('Most calls that wait for one model.', '等待同一模型的调用数上限。'),
  EDGEWISE_BATCH_CONCURRENCY: text(
    'Lines of batches that this instance answers at once; 0 for none.',
    '此实例同时处理的批处理行数；0 表示不处理。',
  ),
  EDGEWISE_MAX_OUTPUT_TOKENS: text('Most tokens of an answer.', '单次回答的最大 token 数。'),
  EDGEWISE_MEMORY_EMBEDDINGS: text(
    'The model whose embeddings find memories and documents; built-in ones by default.',
    '用其向量检索记忆与文档的模型；默认使用内置向量。',
  ),
  EDGEWISE_NOTES_MODEL: text(
    'The model that summarises long conversations; rules choose sentences without it.',
    '为长对话撰写摘要的模型；未设时按规则挑选句子。',
  ),
  EDGEWISE_RETENTION_DAYS: text(
    'How many days the archive is kept, by tenant: `acme=30,*=365`.',
    '归档按租户保留的天数，如 `acme=30,*=365`。',
  ),
};
