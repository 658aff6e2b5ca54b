/** The table, and beneath it what it was made from. */
import type { Figure, Measured, RowReport } from '../row.ts';
import type { Machine } from './machine.ts';
import { toNumber } from './to-number.ts';

export interface Report {
  /** `2026-11-21` */
  date: string;
  minutes: number;
  machine: Machine;
  rows: RowReport[];
}

export function toMarkdown({ date, minutes, machine, rows }: Report): string {
  const { processors, memoryGb, node, loadBefore } = machine;
  const lines = [
    '# Bench',
    '',
    `${date}, ${processors}, ${memoryGb} GB, Node ${node}, load average before: ${loadBefore.toFixed(1)}; ${minutes.toFixed(1)} minutes.`,
    'Again: `npm ci && npm run bench`. Ratios are medians over rounds in which the targets took turns; absolute times say',
    'little on a shared machine. The peer is `@portkey-ai/gateway` 1.15.2 with `@hono/node-server` 1.13.5 and `hono` 4.9.7.',
    '',
    '| what | goal | figure | verdict |',
    '|---|---|---|---|',
    ...rows.flatMap(({ title, figures }) => figures.map((figure) => toTableRow(title, figure))),
  ];
  for (const { title, measured, notes } of rows)
    lines.push('', `## ${title}`, '', ...toDetails(measured), '', ...notes.map((note) => `- ${note}`));
  return `${lines.join('\n')}\n`;
}

function toTableRow(title: string, { what, value, unit, goal, isReached }: Figure): string {
  const verdict = isReached === undefined ? '' : isReached ? 'reached' : '**missed**';
  return `| ${title}: ${what} | ${goal ?? ''} | ${toNumber(value)}${unit && ` ${unit}`} | ${verdict} |`;
}

function toDetails(measured: Measured[]): string[] {
  const names = [...new Set(measured.flatMap(({ values }) => Object.keys(values)))];
  return [
    `| | ${names.join(' | ')} |`,
    `|---|${'---|'.repeat(names.length)}`,
    ...measured.map(({ target, values }) => {
      const cells = names.map((name) => (values[name] === undefined ? '' : toNumber(values[name])));
      return `| ${target} | ${cells.join(' | ')} |`;
    }),
  ];
}
