/** The metrics reference, from the names that edge and core may use. */
import {
  coreMetrics,
  edgeMetrics,
  type LabelValues,
  type MetricRule,
} from '../../shared/observe/metric-names.ts';
import { code, toPage, toTable } from './markdown.ts';
import type { Language, Text } from './operation.ts';

const titles: Text = { en: 'Metrics', zh: '指标' };
const intros: Text = {
  en: 'Edge and core serve metrics in the Prometheus text format at `GET /metrics`, for the bearer token of `EDGEWISE_METRICS_TOKEN`. Units are seconds, tokens and US dollars. A value outside a label’s list is written as `other`.',
  zh: '边缘和核心都在 `GET /metrics` 以 Prometheus 文本格式提供指标，凭 `EDGEWISE_METRICS_TOKEN` 的 bearer 令牌读取。单位为秒、token 和美元。不在标签取值表中的值记为 `other`。',
};
const places: { title: Text; metrics: Readonly<Record<string, MetricRule>> }[] = [
  { title: { en: 'Edge', zh: '边缘' }, metrics: edgeMetrics },
  { title: { en: 'Core', zh: '核心' }, metrics: coreMetrics },
];
const words: Record<'type' | 'label' | 'values' | 'buckets' | 'empty', Text> = {
  type: { en: 'Type', zh: '类型' },
  label: { en: 'Label', zh: '标签' },
  values: { en: 'Values', zh: '取值' },
  buckets: { en: 'Buckets', zh: '分桶' },
  empty: { en: 'empty', zh: '空' },
};
/** Names that the configuration holds. */
const configured: Record<Exclude<LabelValues, readonly string[]>, Text> = {
  models: { en: 'models of the models file', zh: '模型文件中的模型' },
  providers: { en: 'providers of the models file', zh: '模型文件中的提供方' },
  plans: { en: 'names of plans', zh: '套餐名称' },
  regions: {
    en: 'regions of `EDGEWISE_CORE_URL`: `0`, `1` …',
    zh: '`EDGEWISE_CORE_URL` 中的区域：`0`、`1`……',
  },
};
/** Longer lists would hide the rest of the table. */
const MOST_VALUES = 12;

/** The help in Chinese. A test finds a metric without one. */
const chinese: Readonly<Record<string, string>> = {
  gen_ai_server_request_duration_seconds: '一次生成从请求到结束的时间。',
  gen_ai_server_time_to_first_token_seconds: '一次生成从请求到首个词的时间。',
  gen_ai_server_time_per_output_token_seconds: '首个 token 之后，各 token 之间的间隔。',
  gen_ai_client_token_usage: '一次生成所用的 token 数。',
  edgewise_fallbacks_total: '由降级顺序中首选以外的模型作答的生成次数。',
  edgewise_usage_rejected_total: '上游所报、不可能成立而改用自算的 token 数的次数。',
  edgewise_generations_running: '正在进行的生成数。',
  edgewise_quota_waiting: '因上游配额而排队的调用数。',
  edgewise_breaker_state: '模型的熔断状态：0 闭合，1 半开，2 断开。',
  edgewise_requests_total: '请求数，在响应头发出时计入。',
  edgewise_request_duration_seconds: '从请求到发出响应头的时间。',
  edgewise_cost_usd_total: '生成的费用（美元），按模型文件中的价格计算。',
  edgewise_cache_total: '提问次数，按缓存的结果区分。',
  edgewise_limits_total: '调用次数，按限额是否放行、由哪项限额拒绝区分。',
  edgewise_turn_wait_seconds: '一轮等待同一会话中先前轮次的时间。',
  edgewise_resumes_total: '续读次数，按所遇情况区分。',
  edgewise_stops_total: '请求中止的轮次数。',
  edgewise_abort_to_upstream_seconds: '从中止或断开，到通知模型停止的时间。',
  edgewise_filter_total: '内容过滤处理的文本数，按结果区分。',
  edgewise_plugin_duration_seconds: '插件处理一段文本的时间。',
  edgewise_core_calls_total: '对核心的调用次数，按区域和是否应答区分。',
  edgewise_metrics_lost_total: '未能送达汇总对象的测量批次数。',
};

export function toMetricsPage(language: Language): string {
  const parts = places.map(({ title, metrics }) => {
    const entries = Object.entries(metrics).map(([name, rule]) => toEntry(name, rule, language));
    return [`## ${title[language]}`, ...entries].join('\n\n');
  });
  return toPage(titles[language], [intros[language], ...parts], language);
}

function toEntry(name: string, rule: MetricRule, language: Language): string {
  const help = language === 'en' ? rule.help : chinese[name];
  if (help === undefined) throw new Error(`page-metrics.ts has no Chinese text for ${name}`);
  const [colon, stop] = language === 'en' ? [': ', '. '] : ['：', '。'];
  const type = `${words.type[language]}${colon}${code(rule.type)}${stop}`;
  const buckets = rule.buckets ? `${words.buckets[language]}${colon}${rule.buckets.join(', ')}${stop}` : '';
  const labels = Object.entries(rule.labels).map(([label, values]) => [
    code(label),
    toValues(values, language),
  ]);
  return [
    `### ${code(name)}`,
    `${help}${language === 'en' ? ' ' : ''}${type}${buckets}`.trim(),
    labels.length === 0 ? '' : toTable([words.label[language], words.values[language]], labels),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function toValues(values: LabelValues, language: Language): string {
  if (typeof values === 'string') return configured[values][language];
  const shown = values
    .slice(0, MOST_VALUES)
    .map((value) => (value === '' ? words.empty[language] : code(value)));
  return values.length > MOST_VALUES ? `${shown.join(', ')} … (${values.length})` : shown.join(', ');
}
