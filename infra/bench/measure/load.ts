/** Load by autocannon, as a process of its own, and what a target made of it. */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { type Asked, type BenchTarget, toBody } from '../systems/target.ts';
import { processorMs } from './process-usage.ts';
import { median } from './statistics.ts';

const run = promisify(execFile);
const autocannon = createRequire(import.meta.url).resolve('autocannon');

export interface Load extends Asked {
  clients: number;
  seconds: number;
}

export interface LoadResult {
  /** Whole answers with status 200, a second. */
  answersPerSecond: number;
  medianMs: number;
  p99Ms: number;
  /** Processor time of the target for one answer, in microseconds. */
  processorUs: number;
}

/** @throws Error when an answer was anything but a 200 */
export async function loadTarget(target: BenchTarget, load: Load): Promise<LoadResult> {
  const headers = { 'content-type': 'application/json', ...target.headers, ...load.headers };
  const args = [
    autocannon,
    '--json',
    '--no-progress',
    ...['--method', 'POST', '--connections', String(load.clients), '--duration', String(load.seconds)],
    ...['--body', toBody(load)],
    ...Object.entries(headers).flatMap(([name, value]) => ['--headers', `${name}=${value}`]),
    target.url,
  ];
  const beforeMs = processorMs(target.pid);
  const { stdout } = await run(process.execPath, args, { maxBuffer: 1 << 24 });
  const usedMs = processorMs(target.pid) - beforeMs;
  const report = JSON.parse(stdout) as AutocannonReport;
  const { non2xx, errors, timeouts, '2xx': answers } = report;
  if (non2xx + errors + timeouts > 0 || answers === 0) {
    throw new Error(
      `${target.name}: of ${answers + non2xx} answers ${non2xx} were no 200; ${errors} errors, ${timeouts} timeouts`,
    );
  }
  return {
    answersPerSecond: answers / report.duration,
    medianMs: report.latency.p50,
    p99Ms: report.latency.p99,
    processorUs: (usedMs * 1000) / answers,
  };
}

interface AutocannonReport {
  '2xx': number;
  non2xx: number;
  errors: number;
  timeouts: number;
  /** Seconds. */
  duration: number;
  latency: { p50: number; p99: number };
}

/** Several targets under the same load, one after the other, in rounds: what disturbs one disturbs all. */
export async function loadInRounds<Name extends string>(
  targets: Record<Name, { target: BenchTarget; load: Load }>,
  rounds: number,
): Promise<Record<Name, RoundsResult>> {
  const names = Object.keys(targets) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, [] as LoadResult[]])) as Record<
    Name,
    LoadResult[]
  >;
  // A first short one each, which is not counted: isolates warm up.
  for (const name of names) await loadTarget(targets[name].target, { ...targets[name].load, seconds: 2 });
  for (let round = 0; round < rounds; round++) {
    for (const name of names) results[name].push(await loadTarget(targets[name].target, targets[name].load));
  }
  return Object.fromEntries(names.map((name) => [name, toRounds(results[name])])) as Record<
    Name,
    RoundsResult
  >;
}

export interface RoundsResult extends LoadResult {
  rounds: LoadResult[];
}

function toRounds(rounds: LoadResult[]): RoundsResult {
  const of = (key: keyof LoadResult) => median(rounds.map((round) => round[key]));
  return {
    answersPerSecond: of('answersPerSecond'),
    medianMs: of('medianMs'),
    p99Ms: of('p99Ms'),
    processorUs: of('processorUs'),
    rounds,
  };
}

/** The median over the rounds of one's figure by the other's in the same round. */
export function ratioOf(one: RoundsResult, other: RoundsResult, key: keyof LoadResult): number {
  return median(one.rounds.map((round, at) => round[key] / (other.rounds[at] as LoadResult)[key]));
}
