/** Dashboards, rules and their tests use only metrics and labels that exist, with the right job. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { coreMetrics, edgeMetrics, type MetricRule } from '../../../shared/observe/metric-names.ts';
import { projectRoot } from '../../local/settings.ts';
import { budgetFile, monitoringFiles } from './files.ts';
import type { RuleFile } from './rules.ts';
import { jobs } from './selector.ts';

const read = (path: string) => readFileSync(join(import.meta.dirname, path), 'utf8');
const list = (folder: string) =>
  readdirSync(join(import.meta.dirname, folder)).map((name) => `${folder}/${name}`);
const files = [...list('prometheus/rules'), ...list('prometheus/tests'), ...list('grafana/dashboards')];
const rules = list('prometheus/rules').flatMap((path) =>
  (parse(read(path)) as RuleFile).groups.flatMap((group) => group.rules),
);
const records = new Set(rules.map(({ record }) => record));

const sides: Record<string, Readonly<Record<string, MetricRule>>> = {
  [jobs.core]: coreMetrics,
  [jobs.edge]: edgeMetrics,
};

/** The rule of a series, found by its name without the suffix of a histogram. */
function ruleOf(job: string, series: string): MetricRule | undefined {
  const metrics = sides[job] ?? {};
  const base = series.replace(/_(?:bucket|count|sum)$/, '');
  if (metrics[base]?.type === 'histogram') return series === base ? undefined : metrics[base];
  return metrics[series];
}

/** Every string in a file that holds PromQL or a series. */
function expressionsOf(path: string): string[] {
  const found: string[] = [];
  JSON.parse(JSON.stringify(parse(read(path))), (key, value) => {
    if (typeof value === 'string' && /^(?:expr|series)$/.test(key)) found.push(value);
    return value;
  });
  return found;
}

test('the generated files are up to date; only the budget may differ', () => {
  for (const [path, content] of monitoringFiles()) expect(read(path), path).toBe(content);
  const [path] = budgetFile;
  const { groups } = parse(read(path)) as RuleFile;
  expect(groups[0]?.rules[0]?.record).toBe('edgewise:spend_budget_usd:30d');
});

describe.each(files)('%s', (path) => {
  const expressions = expressionsOf(path);

  test('selects existing series', () => {
    expect(expressions.length).toBeGreaterThan(0);
    for (const expression of expressions) {
      for (const [selector, series = '', matchers = ''] of expression.matchAll(
        /([a-zA-Z_:][\w:]*)\{([^}]*)\}/g,
      )) {
        if (series === 'up' || series === 'ALERTS') continue;
        const job = matchers.match(/\bjob="([^"]+)"/)?.[1] ?? '';
        const rule = ruleOf(job, series);
        expect(rule, selector).toBeDefined();
        for (const [, label = ''] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) {
          const known = ['job', 'instance', ...Object.keys(rule?.labels ?? {})];
          if (series.endsWith('_bucket')) known.push('le');
          expect(known, selector).toContain(label);
        }
        for (const [, label = '', value = ''] of matchers.matchAll(/(\w+)="([^"]*)"/g)) {
          const values = rule?.labels[label];
          if (Array.isArray(values)) expect(values, selector).toContain(value);
        }
      }
    }
  });

  test('uses no other names', () => {
    const labels = new Set(
      Object.values(sides).flatMap((metrics) =>
        Object.values(metrics).flatMap((rule) => Object.keys(rule.labels)),
      ),
    );
    for (const expression of expressions) {
      const bare = expression.replaceAll(/"[^"]*"/g, '').replaceAll(/[a-zA-Z_:][\w:]*\{[^}]*\}/g, '');
      for (const [name] of bare.matchAll(/\b(?:edgewise|gen_ai)[\w:]*/g))
        expect(records.has(name) || labels.has(name), name).toBe(true);
    }
  });
});

test('every alert has a runbook, and every runbook is linked or is a procedure', () => {
  const linked = rules.flatMap(({ annotations }) => annotations?.runbook_url ?? []);
  for (const path of linked) expect(existsSync(join(projectRoot, path)), path).toBe(true);
  const procedures = ['README.md', 'restore.md'];
  for (const name of readdirSync(join(projectRoot, 'infra/operate/runbooks')))
    expect(procedures.includes(name) || linked.includes(`infra/operate/runbooks/${name}`), name).toBe(true);
});

test('scrape configurations and rules use the same job names', () => {
  const compose = parse(read('prometheus/prometheus.yml')) as { scrape_configs: { job_name: string }[] };
  expect(compose.scrape_configs.map(({ job_name: name }) => name).sort()).toEqual(Object.values(jobs).sort());
  const { scrape_configs: scrapes } = parse(read('prometheus/kubernetes.yml')) as {
    scrape_configs: { relabel_configs: { regex?: string; action?: string; target_label?: string }[] }[];
  };
  const [kept, , named] = scrapes[0]?.relabel_configs ?? [];
  // The label `app.kubernetes.io/name` becomes the job.
  expect(named?.target_label).toBe('job');
  for (const job of Object.values(jobs)) expect(job).toMatch(new RegExp(`^${kept?.regex}$`));
  const manifests = ['base/core.yaml', 'edge-nodes/edge.yaml'].map((path) =>
    read(`../../deploy/kubernetes/${path}`),
  );
  for (const [index, job] of [jobs.core, jobs.edge].entries())
    expect(manifests[index]).toContain(`app.kubernetes.io/name: ${job}`);
});

test('every alert is tested', () => {
  const tested = list('prometheus/tests').map(read).join('\n');
  for (const { alert } of rules) if (alert !== undefined) expect(tested).toContain(alert);
});

test('histogram buckets are ascending, and every label has a closed list of values', () => {
  for (const [name, rule] of [
    ...Object.entries<MetricRule>(coreMetrics),
    ...Object.entries<MetricRule>(edgeMetrics),
  ]) {
    expect(rule.type === 'histogram', name).toBe(rule.buckets !== undefined);
    const buckets = rule.buckets ?? [];
    expect(
      buckets.every((bound, index) => index === 0 || bound > (buckets[index - 1] ?? 0)),
      name,
    ).toBe(true);
    if (rule.type === 'counter') expect(name).toMatch(/_total$/);
    for (const values of Object.values(rule.labels))
      expect(Array.isArray(values) ? new Set(values).size === values.length : typeof values).toBe(
        Array.isArray(values) ? true : 'string',
      );
  }
});
