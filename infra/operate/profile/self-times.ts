/** The self time of each function in a CPU profile: without the functions that it called. */
import { basename } from 'node:path';
import type { CpuProfile } from './inspector.ts';

export interface SelfTime {
  /** `name (file:line)` */
  name: string;
  ms: number;
  /** Part of the time in which any function ran. */
  share: number;
}

/** Frames that are no functions. */
const idle = new Set(['(idle)', '(root)']);

/** Longest first. */
export function toSelfTimes({ nodes, samples, timeDeltas }: CpuProfile): SelfTime[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, toName(callFrame)]));
  const micros = new Map<string, number>();
  // A sample counts until the next one.
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? '(unknown)';
    micros.set(name, (micros.get(name) ?? 0) + Math.max(0, timeDeltas[index + 1] ?? 0));
  }
  const busy = [...micros].filter(([name]) => !idle.has(name));
  const total = busy.reduce((sum, [, time]) => sum + time, 0);
  return busy
    .map(([name, time]) => ({ name, ms: time / 1000, share: total === 0 ? 0 : time / total }))
    .sort((one, other) => other.ms - one.ms);
}

/** @returns a table of the first `most` functions as text */
export function toReport(times: readonly SelfTime[], most: number): string {
  return times
    .slice(0, most)
    .map(
      ({ name, ms, share }) =>
        `${`${(share * 100).toFixed(1)} %`.padStart(8)} ${`${ms.toFixed(0)} ms`.padStart(9)}  ${name}`,
    )
    .join('\n');
}

function toName({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName || '(anonymous)';
  if (url === '') return name;
  const inPackage = url.split('/node_modules/').at(-1) ?? '';
  const place = url.includes('/node_modules/') ? inPackage : basename(url);
  return `${name} (${place}:${lineNumber + 1})`;
}
