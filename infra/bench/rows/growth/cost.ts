/** What one more of something costs, by how much there is already. */
import type { Measured } from '../../row.ts';

export interface Cost {
  /** How much there was. */
  size: number;
  /** Milliseconds or microseconds, by what they are of. */
  values: Record<string, number>;
}

/** What is named, among the most there was, by the same among the fewest. */
export function ratioOf(costs: readonly Cost[], name: string): number {
  return (costs.at(-1)?.values[name] ?? Number.NaN) / (costs[0]?.values[name] ?? Number.NaN);
}

export function mostOf(costs: readonly Cost[]): string {
  return costs.at(-1)?.size.toLocaleString('en-US') ?? 'none';
}

export function toMeasured(what: string, costs: readonly Cost[]): Measured[] {
  return costs.map(({ size, values }) => ({ target: `${size.toLocaleString('en-US')} ${what}`, values }));
}
