/** PromQL selectors for the closed list of metrics: an unknown name does not compile. */
import {
  type CoreMetricName,
  coreMetrics,
  type EdgeMetricName,
  edgeMetrics,
  type MetricRule,
} from '../../../shared/observe/metric-names.ts';

/** Job names of edge and core in `prometheus/prometheus.yml`. */
export const jobs = { edge: 'edgewise-edge', core: 'edgewise-core' } as const;

/** PromQL matchers without the label: `="500"`, `=~"5.."`. */
type Matchers = Readonly<Record<string, string>>;
type Suffix = '' | '_bucket' | '_count' | '_sum';

export function edge(name: EdgeMetricName, matchers: Matchers = {}, suffix: Suffix = ''): string {
  return toSelector({ name, job: jobs.edge, rule: edgeMetrics[name], matchers, suffix });
}

export function core(name: CoreMetricName, matchers: Matchers = {}, suffix: Suffix = ''): string {
  return toSelector({ name, job: jobs.core, rule: coreMetrics[name], matchers, suffix });
}

/** A matcher for any of these values. */
export function oneOf(values: readonly string[]): string {
  return `=~"${values.join('|')}"`;
}

interface Selected {
  name: string;
  job: string;
  rule: MetricRule;
  matchers: Matchers;
  suffix: Suffix;
}

function toSelector({ name, job, rule, matchers, suffix }: Selected): string {
  if ((rule.type === 'histogram') !== (suffix !== '')) throw new Error(`${name}${suffix} is no series`);
  const unknown = Object.keys(matchers).filter((label) => label !== 'le' && !(label in rule.labels));
  if (unknown.length > 0) throw new Error(`${name} has no label ${unknown.join(', ')}`);
  const all = Object.entries({ job: `="${job}"`, ...matchers }).map(([label, match]) => label + match);
  return `${name}${suffix}{${all.join(',')}}`;
}
