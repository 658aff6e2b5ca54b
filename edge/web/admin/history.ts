/** What the metrics have said since the page was opened, for the charts. Owns the readings of the last ten minutes. */
import { type Signal, signal } from '@preact/signals';
import { messageOf } from '../message-of.ts';
import { type Family, linesOf, parsePrometheus } from './prometheus.ts';

export interface ChartData {
  name: string;
  help: string;
  type: string;
  /** Line's name -> its values; a gap is `undefined`. Every line is as long as `times`. */
  lines: ReadonlyMap<string, readonly (number | undefined)[]>;
  /** Unix milliseconds. */
  times: readonly number[];
}

export interface MetricsHistory {
  readonly charts: Signal<readonly ChartData[]>;
  readonly failure: Signal<string | undefined>;
  start(): void;
  stop(): void;
}

const EVERY_MS = 5000;
const KEPT = 120;

/** @param readText The metrics in Prometheus' text form. */
export function createMetricsHistory(readText: () => Promise<string>): MetricsHistory {
  const charts = signal<readonly ChartData[]>([]);
  const failure = signal<string | undefined>(undefined);
  let before: { families: Map<string, Family>; atMs: number } | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = true;

  async function read(): Promise<void> {
    try {
      const text = await readText();
      const atMs = Date.now();
      const families = new Map(parsePrometheus(text).map((family) => [family.name, family]));
      const known = new Map(charts.value.map((chart) => [chart.name, chart]));
      const seconds = before ? (atMs - before.atMs) / 1000 : 0;
      charts.value = [...families.values()]
        .filter(({ name }) => !/^(?:process|nodejs)_/.test(name))
        .map((family) =>
          extend(known.get(family.name), family, before?.families.get(family.name), { atMs, seconds }),
        );
      before = { families, atMs };
      failure.value = undefined;
    } catch (error) {
      failure.value = messageOf(error);
    }
    if (!stopped) timer = setTimeout(() => void read(), EVERY_MS);
  }

  return {
    charts,
    failure,
    start() {
      stopped = false;
      void read();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

function extend(
  chart: ChartData | undefined,
  now: Family,
  before: Family | undefined,
  { atMs, seconds }: { atMs: number; seconds: number },
): ChartData {
  const times = [...(chart?.times ?? []), atMs].slice(-KEPT);
  const values = new Map(linesOf(now, before, seconds).map(({ name, value }) => [name, value]));
  const names = new Set([...(chart?.lines.keys() ?? []), ...values.keys()]);
  const lines = new Map<string, readonly (number | undefined)[]>();
  for (const name of names) {
    const past = chart?.lines.get(name) ?? new Array(times.length - 1).fill(undefined);
    lines.set(name, [...past, values.get(name)].slice(-KEPT));
  }
  return { name: now.name, help: now.help, type: now.type, lines, times };
}
