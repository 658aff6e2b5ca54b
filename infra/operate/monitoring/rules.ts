/**
 * Prometheus rules from the objectives: burn rates over several windows, as in "The Site Reliability Workbook" (chapter
 * 5). An alert needs a long window, which shows that it matters, and a short one, which shows that it still happens.
 */
import { type Objective, objectives, watches } from './objectives.ts';
import { edge } from './selector.ts';

export interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  for?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export interface RuleFile {
  groups: { name: string; interval?: string; rules: Rule[] }[];
}

interface Burn {
  long: string;
  short: string;
  /** How much faster than allowed: 14.4 over an hour is 2 % of 30 days' budget. */
  factor: number;
  severity: 'page' | 'ticket';
}

export const burns: readonly Burn[] = [
  { long: '1h', short: '5m', factor: 14.4, severity: 'page' },
  { long: '6h', short: '30m', factor: 6, severity: 'page' },
  { long: '1d', short: '2h', factor: 3, severity: 'ticket' },
  { long: '3d', short: '6h', factor: 1, severity: 'ticket' },
];
const windows = [...new Set(burns.flatMap(({ long, short }) => [short, long]))];
const windowSeconds: Record<string, number> = { '1h': 3600, '6h': 21_600, '1d': 86_400, '3d': 259_200 };

/** Fewer bad events than this in the long window raise no alert: at night a single error is a large share. */
const FEWEST_BAD = 10;
const MONTH_SECONDS = 30 * 86_400;

export const budgetRecord = 'edgewise:spend_budget_usd:30d';
export const spendRecord = (window: string): string => `edgewise:spend_usd:rate${window}`;
export const badRecord = ({ name }: Objective, window: string): string =>
  `edgewise:${name}_bad:rate${window}`;
export const totalRecord = ({ name }: Objective, window: string): string =>
  `edgewise:${name}_all:rate${window}`;

export function recordingRules(): RuleFile {
  return {
    groups: [
      ...objectives.map((objective) => ({
        name: `edgewise-${objective.name}`,
        rules: windows.flatMap((window) => [
          { record: badRecord(objective, window), expr: objective.bad(window) },
          { record: totalRecord(objective, window), expr: objective.total(window) },
        ]),
      })),
      {
        name: 'edgewise-spend',
        rules: windows.map((window) => ({
          record: spendRecord(window),
          expr: `sum(rate(${edge('edgewise_cost_usd_total')}[${window}]))`,
        })),
      },
    ],
  };
}

export function alertRules(): RuleFile {
  return {
    groups: [
      { name: 'edgewise-objectives', rules: objectives.flatMap(objectiveAlerts) },
      { name: 'edgewise-spend-alerts', rules: burns.map(spendAlert) },
      {
        name: 'edgewise-watches',
        rules: watches.map(({ alert, expr, for: held, severity, summary, runbook }) => ({
          alert,
          expr,
          for: held,
          labels: { severity },
          annotations: annotations(summary, runbook),
        })),
      },
    ],
  };
}

/** The monthly budget, which the operator sets. */
export function budgetRules(): RuleFile {
  return { groups: [{ name: 'edgewise-budget', rules: [{ record: budgetRecord, expr: 'vector(1000)' }] }] };
}

function objectiveAlerts(objective: Objective): Rule[] {
  const allowed = Number((1 - objective.good).toFixed(6));
  return burns.map(({ long, short, factor, severity }) => {
    const threshold = Number((factor * allowed).toFixed(6));
    const isOver = (window: string) =>
      `${badRecord(objective, window)} / ${totalRecord(objective, window)} > ${threshold}`;
    const isEnough = `${badRecord(objective, long)} * ${windowSeconds[long]} >= ${FEWEST_BAD}`;
    return {
      alert: objective.alert,
      expr: `${isOver(long)} and ${isOver(short)} and ${isEnough}`,
      labels: { severity, window: long },
      annotations: annotations(
        `${objective.summary}: {{ $value | humanizePercentage }} over ${long}, of which ${Number((allowed * 100).toFixed(2))} % are allowed`,
        objective.runbook,
      ),
    };
  });
}

function spendAlert({ long, short, factor, severity }: Burn): Rule {
  const isOver = (window: string) =>
    `${spendRecord(window)} * ${MONTH_SECONDS} > ${factor} * ${budgetRecord}`;
  return {
    alert: 'EdgewiseSpendFast',
    expr: `${isOver(long)} and ${isOver(short)}`,
    labels: { severity, window: long },
    annotations: annotations(
      `At the pace of the last ${long}, 30 days cost {{ $value | humanize }} dollars, more than ${factor} times the budget`,
      'spend',
    ),
  };
}

function annotations(summary: string, runbook: string): Record<string, string> {
  return { summary, runbook_url: `infra/operate/runbooks/${runbook}.md` };
}
