/** Writes the table, the numbers behind it and the chart to `infra/bench/results/`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RowReport } from '../row.ts';
import { type BarGroup, toChart } from './to-chart.ts';
import { type Report, toMarkdown } from './to-markdown.ts';

export async function writeReport(report: Report): Promise<string> {
  const dir = join(import.meta.dirname, '../results');
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'bench.md'), toMarkdown(report));
  await writeFile(join(dir, 'bench.json'), `${JSON.stringify(report, null, 2)}\n`);
  const groups = chartGroups(report.rows);
  if (groups.length > 0) await writeFile(join(dir, 'bench.svg'), toChart(groups));
  return join(dir, 'bench.md');
}

const labels: Record<string, string> = {
  ours: 'Edgewise',
  floor: 'bare Hono, workerd',
  reading: 'Hono that reads it',
  peer: 'peer gateway',
};
/** The rows that make the chart: their line of the details, and its unit. */
const charted: readonly [row: string, key: string, unit: string][] = [
  ['cached', 'answers a second', 'a second'],
  ['pass-through', 'answers a second', 'a second'],
  ['streamed', 'tokens a second', 'a second'],
  ['first-token', 'added, median ms', 'ms'],
];

function chartGroups(rows: RowReport[]): BarGroup[] {
  return charted.flatMap(([name, key, unit]) => {
    const row = rows.find((one) => one.name === name);
    if (!row) return [];
    const bars = row.measured.flatMap(({ target, values }) => {
      const label = labels[target];
      const value = values[key];
      return label === undefined || value === undefined
        ? []
        : [{ label, value: Math.max(0, value), isOurs: target === 'ours' }];
    });
    return [{ title: row.title, unit, bars }];
  });
}
