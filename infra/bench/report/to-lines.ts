/** A row for who watches the bench run. */

import type { RowReport } from '../row.ts';
import { toNumber } from './to-number.ts';

export function toLines({ title, figures, measured, notes }: RowReport): string {
  const lines = [title];
  for (const { what, value, unit, goal, isReached } of figures) {
    const verdict = isReached === undefined ? '' : isReached ? '  reached' : '  MISSED';
    lines.push(`  ${what}: ${toNumber(value)} ${unit}${goal ? ` (${goal})` : ''}${verdict}`);
  }
  for (const { target, values } of measured) {
    const all = Object.entries(values).map(([name, value]) => `${name} ${toNumber(value)}`);
    lines.push(`  ${target.padEnd(8)} ${all.join(', ')}`);
  }
  return [...lines, ...notes.map((note) => `  - ${note}`)].join('\n');
}
