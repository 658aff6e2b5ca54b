/** The generated files: paths under `infra/operate/monitoring/` and contents. */
import { stringify } from 'yaml';
import { dashboards } from './dashboards.ts';
import { toGrafana } from './panels.ts';
import { alertRules, budgetRules, type RuleFile, recordingRules } from './rules.ts';

const HEAD = '# Written by `npm run monitoring` from infra/operate/monitoring/*.ts: change it there.\n';

export function monitoringFiles(): Map<string, string> {
  return new Map([
    ['prometheus/rules/recording.yml', HEAD + toYaml(recordingRules())],
    ['prometheus/rules/alerts.yml', HEAD + toYaml(alertRules())],
    ...dashboards.map((dashboard): [string, string] => [
      `grafana/dashboards/${dashboard.uid}.json`,
      `${JSON.stringify(toGrafana(dashboard), null, 2)}\n`,
    ]),
  ]);
}

/** Never overwritten, since the operator sets its number. */
export const budgetFile: [path: string, content: string] = [
  'prometheus/rules/budget.yml',
  `# What 30 days may cost, in US dollars. Yours to set; \`npm run monitoring\` leaves this file as it is.\n${toYaml(budgetRules())}`,
];

function toYaml(rules: RuleFile): string {
  return stringify(rules, { lineWidth: 0 });
}
