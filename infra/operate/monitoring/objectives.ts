/**
 * The service level objectives, as shares of bad events over 30 days, and further alerts. Each has a page in
 * `infra/operate/runbooks/`. `rules.ts` turns them into Prometheus rules.
 */
import { errorRules } from '../../../shared/errors.ts';
import { core, edge, oneOf } from './selector.ts';

export interface Objective {
  /** Part of rule names. */
  name: string;
  alert: string;
  /** What is wrong, for the person who is paged. */
  summary: string;
  /** Share of events that must be good. */
  good: number;
  /** Bad events and all events, per second over a window. */
  bad: (window: string) => string;
  total: (window: string) => string;
  runbook: string;
}

const sumRate = (selector: string, window: string) => `sum(rate(${selector}[${window}]))`;
/** Without a bad event there is no series yet. */
const orZero = (expression: string) => `(${expression} or vector(0))`;

/** Errors of the service and its models; a caller's mistakes do not count. */
const ourErrors = Object.entries(errorRules).flatMap(([code, { status }]) => (status >= 500 ? [code] : []));
const quotaErrors = ['upstream_rate_limited', 'upstream_quota_exhausted', 'model_busy'];

const firstToken = 'gen_ai_server_time_to_first_token_seconds';
const duration = 'gen_ai_server_request_duration_seconds';

/** A first token later than this is bad. Must be a bucket of the histogram. */
export const LATE_SECONDS = 2.5;

export const objectives: Objective[] = [
  {
    name: 'first_token',
    alert: 'EdgewiseFirstTokenSlow',
    summary: `Too many answers begin later than ${LATE_SECONDS} seconds after their request`,
    good: 0.95,
    bad: (window) =>
      `${sumRate(edge(firstToken, {}, '_count'), window)} - ${sumRate(edge(firstToken, { le: `="${LATE_SECONDS}"` }, '_bucket'), window)}`,
    total: (window) => sumRate(edge(firstToken, {}, '_count'), window),
    runbook: 'first-token',
  },
  {
    name: 'answers',
    alert: 'EdgewiseAnswersFail',
    summary: 'Too many answers end in an error that is not the caller’s',
    good: 0.99,
    bad: (window) => orZero(sumRate(edge(duration, { error_type: oneOf(ourErrors) }, '_count'), window)),
    total: (window) => sumRate(edge(duration, {}, '_count'), window),
    runbook: 'answers-fail',
  },
  {
    name: 'requests',
    alert: 'EdgewiseRequestsFail',
    summary: 'Too many requests are answered with a status of 500 or more',
    good: 0.999,
    bad: (window) => orZero(sumRate(edge('edgewise_requests_total', { status: '=~"5.."' }), window)),
    total: (window) => sumRate(edge('edgewise_requests_total'), window),
    runbook: 'requests-fail',
  },
  {
    name: 'upstream_quota',
    alert: 'EdgewiseUpstreamQuotaShort',
    summary: 'Too many generations meet the limits of an upstream, and fail or step down the ladder for it',
    good: 0.98,
    bad: (window) =>
      `${orZero(sumRate(core(duration, { error_type: oneOf(quotaErrors) }, '_count'), window))} + ${orZero(sumRate(core('edgewise_fallbacks_total', { reason: oneOf(quotaErrors) }), window))}`,
    total: (window) => sumRate(core(duration, {}, '_count'), window),
    runbook: 'upstream-quota',
  },
  {
    name: 'caller_limits',
    alert: 'EdgewiseCallersRefused',
    summary: 'Too many calls are refused by the limits of their caller',
    good: 0.95,
    bad: (window) => orZero(sumRate(edge('edgewise_limits_total', { outcome: '="refused"' }), window)),
    total: (window) => sumRate(edge('edgewise_limits_total'), window),
    runbook: 'callers-refused',
  },
];

export interface Watch {
  alert: string;
  summary: string;
  severity: 'page' | 'ticket';
  /** How long the condition must hold. */
  for: string;
  expr: string;
  runbook: string;
}

const rate = (selector: string, window = '10m') => `rate(${selector}[${window}])`;

export const watches: Watch[] = [
  {
    alert: 'EdgewiseDown',
    summary: '{{ $labels.job }} at {{ $labels.instance }} does not answer Prometheus',
    severity: 'page',
    for: '3m',
    expr: 'up{job=~"edgewise-.+"} == 0',
    runbook: 'down',
  },
  {
    alert: 'EdgewiseCoreRegionFails',
    summary: 'More than a fifth of the calls to core region {{ $labels.region }} fail; others take them',
    severity: 'page',
    for: '5m',
    expr: `sum by (region) (${rate(edge('edgewise_core_calls_total', { outcome: '="failed"' }))}) / sum by (region) (${rate(edge('edgewise_core_calls_total'))}) > 0.2`,
    runbook: 'core-region',
  },
  {
    alert: 'EdgewiseModelLeftAlone',
    summary: 'The breaker of {{ $labels.gen_ai_request_model }} has been open for 10 minutes',
    severity: 'ticket',
    for: '10m',
    expr: `max by (gen_ai_request_model) (${core('edgewise_breaker_state')}) == 2`,
    runbook: 'model-left-alone',
  },
  {
    alert: 'EdgewiseQueueGrows',
    summary: 'More than 200 calls of one core have been waiting for a model for 10 minutes',
    severity: 'ticket',
    for: '10m',
    expr: `max by (instance) (${core('edgewise_quota_waiting')}) > 200`,
    runbook: 'upstream-quota',
  },
  {
    alert: 'EdgewiseLimitsUnavailable',
    summary: 'The store of the limits cannot be reached: nothing new is answered by a model',
    severity: 'page',
    for: '2m',
    expr: `sum(${rate(edge('edgewise_limits_total', { outcome: '="unavailable"' }), '5m')}) > 0.1`,
    runbook: 'limits-unavailable',
  },
  {
    alert: 'EdgewiseFilterFails',
    summary: 'More than 1 % of the texts cannot be looked at by the content filter',
    severity: 'page',
    for: '5m',
    expr: `sum(${rate(edge('edgewise_filter_total', { outcome: '="failed"' }))}) / sum(${rate(edge('edgewise_filter_total'))}) > 0.01`,
    runbook: 'filter-fails',
  },
  {
    alert: 'EdgewiseMetricsLost',
    summary: 'Measurements of the edge get lost: the other alerts see less than there is',
    severity: 'ticket',
    for: '15m',
    expr: `sum(${rate(edge('edgewise_metrics_lost_total'))}) > 0.05`,
    runbook: 'metrics-lost',
  },
];
