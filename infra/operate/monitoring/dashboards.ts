/** The Grafana dashboards. `npm run monitoring` writes them as JSON. */
import { LATE_SECONDS, objectives } from './objectives.ts';
import type { Dashboard, Query } from './panels.ts';
import { badRecord, budgetRecord, spendRecord, totalRecord } from './rules.ts';
import { core, edge } from './selector.ts';

const WINDOW = '$__rate_interval';
const rate = (selector: string) => `rate(${selector}[${WINDOW}])`;
const sumBy = (selector: string, ...labels: string[]) =>
  labels.length === 0 ? `sum(${rate(selector)})` : `sum by (${labels.join(', ')}) (${rate(selector)})`;
const quantile = (q: number, selector: string, ...labels: string[]) =>
  `histogram_quantile(${q}, ${sumBy(selector, 'le', ...labels)})`;
const quantiles = (selector: string): Query[] =>
  [0.5, 0.95, 0.99].map((q) => ({ expr: quantile(q, selector), legend: `p${q * 100}` }));
const share = (part: string, whole: string) => `${part} / ${whole}`;

const edgeFirst = (matchers = {}) => edge('gen_ai_server_time_to_first_token_seconds', matchers, '_bucket');
const edgeDuration = (matchers = {}) => edge('gen_ai_server_request_duration_seconds', matchers, '_count');
const MONTH_SECONDS = 30 * 86_400;

const service: Dashboard = {
  uid: 'edgewise-service',
  title: 'Edgewise: the service',
  rows: [
    {
      title: 'What is promised',
      panels: [
        {
          title: 'Burn rate (1 h)',
          unit: 'none',
          width: 12,
          description:
            'How many times faster than allowed the budget of bad events is used up; 1 is just allowed.',
          queries: objectives.map((objective) => ({
            expr: `${badRecord(objective, '1h')} / ${totalRecord(objective, '1h')} / ${Number((1 - objective.good).toFixed(6))}`,
            legend: objective.name,
          })),
        },
        { title: 'Time to first token', unit: 's', width: 12, queries: quantiles(edgeFirst()) },
      ],
    },
    {
      title: 'Requests',
      panels: [
        {
          title: 'By route',
          unit: 'reqps',
          isStacked: true,
          queries: [{ expr: sumBy(edge('edgewise_requests_total'), 'route') }],
        },
        {
          title: 'By status',
          unit: 'reqps',
          isStacked: true,
          queries: [{ expr: sumBy(edge('edgewise_requests_total'), 'status') }],
        },
        {
          title: 'Time to the headers',
          unit: 's',
          queries: quantiles(edge('edgewise_request_duration_seconds', {}, '_bucket')),
        },
      ],
    },
    {
      title: 'Answers',
      panels: [
        {
          title: 'By who answered',
          unit: 'ops',
          isStacked: true,
          queries: [{ expr: sumBy(edgeDuration(), 'edgewise_answered_by') }],
        },
        {
          title: 'First token, p95 by who answered',
          unit: 's',
          queries: [{ expr: quantile(0.95, edgeFirst(), 'edgewise_answered_by') }],
        },
        {
          title: `Begun within ${LATE_SECONDS} s`,
          unit: 'percentunit',
          max: 1,
          queries: [
            {
              expr: share(
                sumBy(edgeFirst({ le: `="${LATE_SECONDS}"` })),
                sumBy(edge('gen_ai_server_time_to_first_token_seconds', {}, '_count')),
              ),
              legend: 'share',
            },
          ],
        },
        {
          title: 'Errors',
          unit: 'ops',
          isStacked: true,
          queries: [{ expr: sumBy(edgeDuration({ error_type: '!=""' }), 'error_type') }],
        },
        {
          title: 'Cache',
          unit: 'ops',
          isStacked: true,
          queries: [{ expr: sumBy(edge('edgewise_cache_total'), 'outcome') }],
        },
        {
          title: 'Limits of callers',
          unit: 'ops',
          isStacked: true,
          queries: [{ expr: sumBy(edge('edgewise_limits_total'), 'outcome', 'limit') }],
        },
      ],
    },
    {
      title: 'Sessions',
      panels: [
        {
          title: 'Readers that came back',
          unit: 'ops',
          queries: [{ expr: sumBy(edge('edgewise_resumes_total'), 'transport', 'outcome') }],
        },
        {
          title: 'Stops',
          unit: 'ops',
          queries: [{ expr: sumBy(edge('edgewise_stops_total'), 'outcome') }],
        },
        {
          title: 'From the abort to the upstream',
          unit: 's',
          queries: quantiles(edge('edgewise_abort_to_upstream_seconds', {}, '_bucket')),
        },
        {
          title: 'Waiting for earlier turns',
          unit: 's',
          queries: quantiles(edge('edgewise_turn_wait_seconds', {}, '_bucket')),
        },
        {
          title: 'Content filter',
          unit: 'ops',
          queries: [{ expr: sumBy(edge('edgewise_filter_total'), 'text', 'outcome') }],
        },
        {
          title: 'Plugins, p95',
          unit: 's',
          queries: [
            {
              expr: quantile(0.95, edge('edgewise_plugin_duration_seconds', {}, '_bucket'), 'plugin', 'text'),
            },
          ],
        },
      ],
    },
  ],
};

const coreFirst = core('gen_ai_server_time_to_first_token_seconds', {}, '_bucket');
const coreDuration = (matchers = {}) => core('gen_ai_server_request_duration_seconds', matchers, '_count');
const byModel = 'gen_ai_request_model';

const models: Dashboard = {
  uid: 'edgewise-models',
  title: 'Edgewise: core and models',
  rows: [
    {
      title: 'Models',
      panels: [
        {
          title: 'Generations',
          unit: 'ops',
          isStacked: true,
          queries: [{ expr: sumBy(coreDuration(), byModel) }],
        },
        {
          title: 'First token, p95',
          unit: 's',
          queries: [{ expr: quantile(0.95, coreFirst, byModel) }],
        },
        {
          title: 'Between tokens, median',
          unit: 's',
          queries: [
            {
              expr: quantile(
                0.5,
                core('gen_ai_server_time_per_output_token_seconds', {}, '_bucket'),
                byModel,
              ),
            },
          ],
        },
        {
          title: 'Errors',
          unit: 'ops',
          isStacked: true,
          queries: [{ expr: sumBy(coreDuration({ error_type: '!=""' }), byModel, 'error_type') }],
        },
        {
          title: 'Another model answered',
          unit: 'ops',
          queries: [{ expr: sumBy(core('edgewise_fallbacks_total'), 'from', 'to', 'reason') }],
        },
        {
          title: 'Breakers (2: left alone)',
          unit: 'none',
          max: 2,
          queries: [{ expr: `max by (${byModel}) (${core('edgewise_breaker_state')})` }],
        },
      ],
    },
    {
      title: 'The core',
      panels: [
        {
          title: 'Generations that run',
          unit: 'none',
          queries: [{ expr: `sum by (instance) (${core('edgewise_generations_running')})` }],
        },
        {
          title: 'Calls that wait for a model',
          unit: 'none',
          queries: [{ expr: `sum by (instance) (${core('edgewise_quota_waiting')})` }],
        },
        {
          title: 'Calls by region',
          unit: 'ops',
          isStacked: true,
          queries: [{ expr: sumBy(edge('edgewise_core_calls_total'), 'region', 'outcome') }],
        },
      ],
    },
  ],
};

const spend: Dashboard = {
  uid: 'edgewise-spend',
  title: 'Edgewise: spend',
  rows: [
    {
      title: 'Dollars',
      panels: [
        {
          title: '30 days at the pace of the last 6 h',
          unit: 'currencyUSD',
          kind: 'stat',
          width: 6,
          queries: [{ expr: `${spendRecord('6h')} * ${MONTH_SECONDS}`, legend: 'projected' }],
        },
        {
          title: 'Budget of 30 days',
          unit: 'currencyUSD',
          kind: 'stat',
          width: 6,
          queries: [{ expr: budgetRecord, legend: 'budget' }],
        },
        {
          title: 'Burn rate of the budget',
          unit: 'none',
          width: 12,
          queries: ['1h', '6h', '3d'].map((window) => ({
            expr: `${spendRecord(window)} * ${MONTH_SECONDS} / ${budgetRecord}`,
            legend: window,
          })),
        },
        {
          title: 'An hour, by model',
          unit: 'currencyUSD',
          isStacked: true,
          queries: [{ expr: `${sumBy(edge('edgewise_cost_usd_total'), byModel)} * 3600` }],
        },
        {
          title: 'An hour, by plan',
          unit: 'currencyUSD',
          isStacked: true,
          queries: [{ expr: `${sumBy(edge('edgewise_cost_usd_total'), 'plan')} * 3600` }],
        },
        {
          title: 'Answered without a model',
          unit: 'percentunit',
          max: 1,
          queries: [
            {
              expr: share(
                sumBy(edge('edgewise_cache_total', { outcome: '=~"hit|semantic|coalesced"' })),
                sumBy(edge('edgewise_cache_total')),
              ),
              legend: 'share',
            },
          ],
        },
      ],
    },
    {
      title: 'Tokens',
      panels: [
        {
          title: 'A second, by kind',
          unit: 'none',
          width: 12,
          queries: [
            {
              expr: sumBy(edge('gen_ai_client_token_usage', {}, '_sum'), 'gen_ai_token_type'),
            },
          ],
        },
        {
          title: 'A second, by model',
          unit: 'none',
          width: 12,
          queries: [{ expr: sumBy(edge('gen_ai_client_token_usage', {}, '_sum'), byModel) }],
        },
      ],
    },
  ],
};

export const dashboards: Dashboard[] = [service, models, spend];
