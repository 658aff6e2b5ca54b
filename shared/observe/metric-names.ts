/**
 * Every metric of the edge and of the core: its name, kind, help, labels with what they may say, and buckets. Names and
 * attributes follow OpenTelemetry's semantic conventions for generative AI in the form that Prometheus gives them (`.`
 * becomes `_`, the unit is a suffix), and are `edgewise_*` where there is no convention. Units are seconds, tokens, US
 * dollars. Dashboards and rules may use these names alone (`infra/operate/monitoring/names.test.ts`).
 */
import { errorRules } from '../errors.ts';
import { usageFaults } from '../model/usage-check.ts';
import { taskPaths } from '../protocol/task-protocol.ts';

/**
 * What a label may say: one of a list, or one of the names that the configuration holds (`models`, `providers` of the
 * registry, `plans`, `regions` of `EDGEWISE_CORE_URL` as `0`, `1` ...), so that no label grows without bound. A value from
 * anywhere else is written as `other`, and what there is none of as ''.
 */
export type LabelValues = readonly string[] | 'models' | 'providers' | 'plans' | 'regions';

export interface MetricRule {
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels: Readonly<Record<string, LabelValues>>;
  /** Upper bounds of a histogram, without the one that is infinite. */
  buckets?: readonly number[];
}

const durationBuckets = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
] as const;
const firstTokenBuckets = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
] as const;
const perTokenBuckets = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5] as const;
const tokenBuckets = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576] as const;
/** From what costs next to nothing to what a reader feels. */
const stepBuckets = [
  0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
] as const;

const operations = ['chat', ...Object.keys(taskPaths)];
const errorTypes = ['', ...Object.keys(errorRules)];
const methods = ['GET', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'other'];
const statuses = [
  ...new Set([101, 200, 204, 304, ...Object.values(errorRules).map(({ status }) => status)]),
].map(String);
/** The path of a route as the map of the app has it (`/v1/sessions/:id`); `other` where none took the request. */
const edgeRoutes = [
  '/healthz',
  '/readyz',
  '/metrics',
  '/v1/tokens',
  '/v1/tokens/guest',
  '/v1/tokens/refresh',
  '/v1/models',
  '/v1/chat/completions',
  ...Object.values(taskPaths).map((path) => `/v1${path}`),
  '/v1/responses',
  '/v1/responses/:id',
  '/v1/responses/:id/cancel',
  '/v1/responses/:id/input_items',
  '/v1/sessions',
  '/v1/sessions/:id',
  '/v1/sessions/:id/stream',
  '/v1/sessions/:id/stop',
  '/v1/sessions/:id/ws',
  '/v1/files',
  '/v1/files/:id',
  '/v1/files/:id/content',
  '/v1/batches',
  '/v1/batches/:id',
  '/v1/batches/:id/cancel',
  '/v1/keys',
  '/v1/keys/:id',
  '/v1/cache',
  '/v1/cache/prepared',
  '/api/chat',
  '/api/chat/:id/stream',
  'other',
];

const model = {
  gen_ai_operation_name: operations,
  gen_ai_provider_name: 'providers',
  gen_ai_request_model: 'models',
} as const;
/** Who answered: the edge's own model, a model of the core, what was kept of an earlier answer, or nobody. */
const answeredBy = { edgewise_answered_by: ['light', 'heavy', 'cache', 'none'] } as const;

/** What both sides count, each from where it stands: the label `job` of a scrape distinguishes them. */
const generation = {
  gen_ai_server_request_duration_seconds: {
    type: 'histogram',
    help: 'Time from the request of a generation to its end.',
    labels: { ...model, error_type: errorTypes },
    buckets: durationBuckets,
  },
  gen_ai_server_time_to_first_token_seconds: {
    type: 'histogram',
    help: 'Time from the request of a generation to its first word.',
    labels: model,
    buckets: firstTokenBuckets,
  },
  gen_ai_server_time_per_output_token_seconds: {
    type: 'histogram',
    help: 'Time between the tokens of an answer after the first one.',
    labels: model,
    buckets: perTokenBuckets,
  },
  gen_ai_client_token_usage: {
    type: 'histogram',
    help: 'Tokens of a generation.',
    labels: { ...model, gen_ai_token_type: ['input', 'output'] },
    buckets: tokenBuckets,
  },
  edgewise_fallbacks_total: {
    type: 'counter',
    help: 'Generations that another model answered than the first of the ladder.',
    labels: { from: 'models', to: 'models', reason: Object.keys(errorRules) },
  },
  edgewise_usage_rejected_total: {
    type: 'counter',
    help: 'Token counts of upstreams that cannot be, and were replaced by our own.',
    labels: {
      gen_ai_operation_name: operations,
      gen_ai_request_model: 'models',
      gen_ai_token_type: ['input', 'output', 'total'],
      reason: usageFaults,
    },
  },
} as const satisfies Record<string, MetricRule>;

export const coreMetrics = {
  ...generation,
  edgewise_generations_running: {
    type: 'gauge',
    help: 'Generations that run now.',
    labels: {},
  },
  edgewise_quota_waiting: {
    type: 'gauge',
    help: 'Calls that wait for their turn at an upstream.',
    labels: {},
  },
  edgewise_breaker_state: {
    type: 'gauge',
    help: 'Whether a model is left alone: 0 closed, 1 half-open, 2 open.',
    labels: { gen_ai_request_model: 'models' },
  },
} as const satisfies Record<string, MetricRule>;

/** Counters and histograms alone: those of many isolates add up. */
export const edgeMetrics = {
  gen_ai_server_request_duration_seconds: withLabels(
    generation.gen_ai_server_request_duration_seconds,
    answeredBy,
  ),
  gen_ai_server_time_to_first_token_seconds: withLabels(
    generation.gen_ai_server_time_to_first_token_seconds,
    answeredBy,
  ),
  gen_ai_server_time_per_output_token_seconds: withLabels(
    generation.gen_ai_server_time_per_output_token_seconds,
    answeredBy,
  ),
  gen_ai_client_token_usage: withLabels(generation.gen_ai_client_token_usage, answeredBy),
  edgewise_fallbacks_total: generation.edgewise_fallbacks_total,
  edgewise_usage_rejected_total: generation.edgewise_usage_rejected_total,
  edgewise_requests_total: {
    type: 'counter',
    help: 'Requests, when the headers of their answers went out.',
    labels: { method: methods, route: edgeRoutes, status: statuses },
  },
  edgewise_request_duration_seconds: {
    type: 'histogram',
    help: 'Time from a request to the headers of its answer.',
    labels: { route: edgeRoutes },
    buckets: durationBuckets,
  },
  edgewise_cost_usd_total: {
    type: 'counter',
    help: 'What generations cost, in US dollars, by the prices of the models file.',
    labels: { gen_ai_request_model: 'models', plan: 'plans' },
  },
  edgewise_cache_total: {
    type: 'counter',
    help: 'Questions, by what the cache of answers had for them.',
    labels: { outcome: ['hit', 'semantic', 'coalesced', 'miss', 'bypass'] },
  },
  edgewise_limits_total: {
    type: 'counter',
    help: 'Calls by whether the limits of their caller let them through; refused by which of them.',
    labels: {
      outcome: ['granted', 'refused', 'unavailable'],
      limit: ['', 'requests', 'tokens', 'turns', 'day', 'month'],
      plan: 'plans',
    },
  },
  edgewise_turn_wait_seconds: {
    type: 'histogram',
    help: 'Time that a turn waited for the turns of its session before it.',
    labels: {},
    buckets: durationBuckets,
  },
  edgewise_resumes_total: {
    type: 'counter',
    help: 'Readers that came back to a turn, by what they found.',
    labels: {
      transport: ['sse', 'socket'],
      outcome: ['running', 'ended', 'nothing', 'expired'],
    },
  },
  edgewise_stops_total: {
    type: 'counter',
    help: 'Turns that somebody asked to stop.',
    labels: { outcome: ['stopped', 'already_ended', 'unknown'] },
  },
  edgewise_abort_to_upstream_seconds: {
    type: 'histogram',
    help: 'Time from a stop, or from a reader that left, until the model was asked to end.',
    labels: { edgewise_answered_by: ['light', 'heavy'] },
    buckets: stepBuckets,
  },
  edgewise_filter_total: {
    type: 'counter',
    help: 'Texts by what the content filter said of them.',
    labels: {
      text: ['prompt', 'answer'],
      outcome: ['passed', 'changed', 'refused', 'failed'],
    },
  },
  edgewise_plugin_duration_seconds: {
    type: 'histogram',
    help: 'Time that a plugin took for one text.',
    labels: {
      plugin: ['words', 'personal-data', 'moderation', 'other'],
      text: ['prompt', 'answer'],
    },
    buckets: stepBuckets,
  },
  edgewise_core_calls_total: {
    type: 'counter',
    help: 'Calls of the core by region and by whether it took them.',
    labels: { region: 'regions', outcome: ['answered', 'failed'] },
  },
  edgewise_metrics_lost_total: {
    type: 'counter',
    help: 'Batches of measurements that did not reach the object that adds them up.',
    labels: {},
  },
} as const satisfies Record<string, MetricRule>;

export type CoreMetricName = keyof typeof coreMetrics;
export type EdgeMetricName = keyof typeof edgeMetrics;

function withLabels<R extends MetricRule, L extends MetricRule['labels']>(
  rule: R,
  labels: L,
): R & { labels: R['labels'] & L } {
  return { ...rule, labels: { ...rule.labels, ...labels } };
}
