/** What the bench ran on, as far as a reader needs it to judge the figures. */
import { cpus, loadavg, totalmem } from 'node:os';

export interface Machine {
  processors: string;
  memoryGb: number;
  node: string;
  /** What else ran: the load average when the bench began. */
  loadBefore: number;
}

export function describeMachine(): Machine {
  const all = cpus();
  return {
    processors: `${all.length} x ${all[0]?.model.trim() ?? 'unknown'}`,
    memoryGb: Math.round(totalmem() / 1e9),
    node: process.version,
    loadBefore: loadavg()[0] ?? Number.NaN,
  };
}
