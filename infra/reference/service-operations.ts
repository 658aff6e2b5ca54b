/** What the service says of itself: models, health, metrics; and the files of its page. */
import * as v from 'valibot';
import { loadEdge } from './load-edge.ts';
import { described, type Operation } from './operation.ts';

const model = v.object({
  id: v.string(),
  object: v.literal('model'),
  created: v.number(),
  owned_by: v.string(),
  edgewise: v.looseObject({
    kind: v.picklist(['model', 'alias']),
    targets: v.optional(
      described(v.array(v.string()), 'The models of an alias, in order.', '别名所代表的模型，按次序排列。'),
    ),
    context_length: described(
      v.number(),
      'Most tokens of prompt and answer together.',
      '提示与回答合计的最大 token 数。',
    ),
    encoding: v.string(),
    generative: described(
      v.boolean(),
      'False for the extractive model, which only quotes documents.',
      '抽取式模型只引用文档，此值为 false。',
    ),
    place: v.picklist(['edge', 'core']),
    price: v.optional(
      described(
        v.object({ input: v.number(), output: v.number(), cachedInput: v.optional(v.number()) }),
        'US dollars per million tokens.',
        '每百万 token 的美元价格。',
      ),
    ),
    offers: v.optional(v.array(v.string())),
    capabilities: v.optional(v.array(v.string())),
    breaker: v.optional(
      described(
        v.picklist(['closed', 'open', 'half-open']),
        'The circuit breaker: an open one skips the model after repeated failures.',
        '熔断器状态：连续失败后断开（open），暂不使用该模型。',
      ),
    ),
    reason: v.optional(described(v.string(), 'Why the model is there.', '该模型存在的原因。')),
  }),
});

export const serviceSchemas = {
  ModelList: v.object({ object: v.literal('list'), data: v.array(model) }),
  Health: v.object({
    status: v.literal('ok'),
    light_model: described(
      v.nullable(v.string()),
      'The model that the edge calls itself.',
      '边缘自行调用的轻量模型。',
    ),
    session_store: v.picklist(['redis', 'durable-object']),
    core: described(
      v.looseObject({ status: v.string() }),
      'The health of the core; `unreachable` when it does not answer.',
      '核心的状态；无响应时为 `unreachable`。',
    ),
    core_regions: v.optional(v.array(v.picklist(['up', 'down']))),
  }),
  Readiness: v.object({
    status: v.picklist(['ready', 'not_ready']),
    checks: described(
      v.record(v.string(), v.string()),
      'Each check with `ok`, or with the reason why it fails: `unreachable`, `signature_refused`, `clocks_differ` (core); ' +
        '`stopping`, `broken`, `unavailable`, `full`, `read_only` (others).',
      '每项检查为 `ok`，或失败原因：核心为 `unreachable`、`signature_refused`、`clocks_differ`；其他为 `stopping`、`broken`、' +
        '`unavailable`、`full`、`read_only`。',
    ),
  }),
  PageSettings: v.object({
    guests: v.boolean(),
    features: described(
      v.array(v.string()),
      'The parts of the page that this server supports.',
      '此服务器支持的页面功能。',
    ),
    sign_in: v.optional(v.object({ issuer: v.string(), client_id: v.string(), scope: v.string() })),
  }),
};

const fileTypes: Readonly<Record<string, string>> = {
  html: 'text/html',
  svg: 'image/svg+xml',
  png: 'image/png',
  webmanifest: 'application/manifest+json',
};

const pageFiles = (await loadEdge('http/page-route.ts', 'pageFiles')) as Readonly<Record<string, string>>;
const page: readonly Operation[] = Object.entries(pageFiles).map(([path, file]) => ({
  method: 'get',
  path,
  id: `readPageFile_${file.replaceAll(/\W/g, '_')}`,
  area: 'service',
  access: 'open',
  summary: { en: `Read the page’s file \`${file}\``, zh: `读取页面文件 \`${file}\`` },
  answers: [
    {
      status: 200,
      type: fileTypes[file.slice(file.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
      text: { en: 'The file.', zh: '文件内容。' },
    },
  ],
}));

export const serviceOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/models',
    id: 'listModels',
    area: 'service',
    summary: { en: 'List models', zh: '列出模型' },
    text: {
      en: 'OpenAI’s list, with what Edgewise knows of each model under `edgewise`.',
      zh: '兼容 OpenAI 的列表，各模型的附加信息在 `edgewise` 中。',
    },
    answers: [
      { status: 200, schema: 'ModelList', text: { en: 'The models and aliases.', zh: '模型与别名。' } },
    ],
    errors: ['core_unavailable'],
  },
  {
    method: 'get',
    path: '/healthz',
    id: 'readHealth',
    area: 'service',
    access: 'open',
    summary: { en: 'Check the health of the service', zh: '检查服务状态' },
    answers: [{ status: 200, schema: 'Health', text: { en: 'The edge works.', zh: '边缘运行正常。' } }],
  },
  {
    method: 'get',
    path: '/readyz',
    id: 'readReadiness',
    area: 'service',
    access: 'open',
    summary: { en: 'Check whether prompts can be answered and kept', zh: '检查服务能否回答并保存提示' },
    text: {
      en: 'Checks the signature and the clocks between edge and core, the core’s database and disk, and the edge’s stores, at most once a second.',
      zh: '检查边缘与核心之间的签名和时钟、核心的数据库和磁盘，以及边缘的存储；每秒最多执行一次。',
    },
    answers: [
      { status: 200, schema: 'Readiness', text: { en: 'Every check passes.', zh: '所有检查均通过。' } },
      { status: 503, schema: 'Readiness', text: { en: 'A check fails.', zh: '有检查未通过。' } },
    ],
  },
  {
    method: 'get',
    path: '/metrics',
    id: 'readMetrics',
    area: 'service',
    access: 'metrics',
    summary: { en: 'Read the metrics of the edge', zh: '读取边缘的指标' },
    text: {
      en: 'With `EDGEWISE_METRICS_TOKEN` as the bearer token; 404 where none is set.',
      zh: '以 `EDGEWISE_METRICS_TOKEN` 作为 bearer 令牌；未配置时返回 404。',
    },
    answers: [
      {
        status: 200,
        type: 'text/plain',
        text: { en: 'Prometheus text format.', zh: 'Prometheus 文本格式。' },
      },
    ],
    errors: ['route_not_found', 'missing_token', 'invalid_token'],
  },
  {
    method: 'get',
    path: '/page.json',
    id: 'readPageSettings',
    area: 'service',
    access: 'open',
    summary: { en: 'Read the settings of the chat page', zh: '读取聊天页面的设置' },
    answers: [{ status: 200, schema: 'PageSettings', text: { en: 'The settings.', zh: '设置。' } }],
  },
  ...page,
  {
    method: 'get',
    path: '/assets/:name',
    id: 'readAsset',
    area: 'service',
    access: 'open',
    summary: { en: 'Read a script, style or font of the page', zh: '读取页面的脚本、样式或字体' },
    parameters: [
      { in: 'path', name: 'name', isRequired: true, text: { en: 'The name of the file.', zh: '文件名。' } },
    ],
    answers: [{ status: 200, type: 'application/octet-stream', text: { en: 'The file.', zh: '文件内容。' } }],
    errors: ['route_not_found'],
  },
];
