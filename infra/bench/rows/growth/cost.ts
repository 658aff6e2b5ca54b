/** What one more of something costs, by how much there is already. */
import type { Measured } from '../../row.ts';

export interface Cost {
  /** How much there was. */
  size: number;
  /** Milliseconds or microseconds, by what they are of. */
  values: Record<string, number>;
}

/** Processor time of a bare handler's answer right now, in microseconds: how fast the machine is, which changes within minutes. */
export type HandlerPace = () => Promise<number>;

/** @returns what tells, once what is between has been measured, the pace right before and after it: their mean */
export async function paceAround(pace: HandlerPace): Promise<HandlerPace> {
  const before = await pace();
  return async () => (before + (await pace())) / 2;
}

/** As {@link HandlerPace} told it, among the values of a cost. */
export const HANDLER_PACE = 'bare handler, processor µs';

/** What is named, among the most there was, by the same among the fewest. */
export function ratioOf(costs: readonly Cost[], name: string): number {
  return (costs.at(-1)?.values[name] ?? Number.NaN) / (costs[0]?.values[name] ?? Number.NaN);
}

/** As {@link ratioOf}, of processor time, each by that of a bare handler right before and after. */
export function pacedRatioOf(costs: readonly Cost[], name: string): number {
  return ratioOf(costs, name) / ratioOf(costs, HANDLER_PACE);
}

export function mostOf(costs: readonly Cost[]): string {
  return costs.at(-1)?.size.toLocaleString('en-US') ?? 'none';
}

export function toMeasured(what: string, costs: readonly Cost[]): Measured[] {
  return costs.map(({ size, values }) => ({ target: `${size.toLocaleString('en-US')} ${what}`, values }));
}
