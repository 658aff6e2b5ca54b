/**
 * What this isolate has measured and not reported yet. Owns the sums; every {@link GATHER_MS} they go to the object that adds
 * up all isolates, behind the requests. Measuring is a look into a map.
 */
import { type EdgeMetricName, edgeMetrics } from '../../shared/observe/metric-names.ts';

export type Labels = Readonly<Record<string, string>>;

/** What was measured under one name with the same labels. */
export interface Sample {
  name: EdgeMetricName;
  /** As Prometheus writes them: `a="x",b="y"`. */
  labels: string;
  sum: number;
  /** Of a histogram: how many values fell into each bucket, the infinite one last. */
  counts?: number[];
}

/** One name with its labels. */
export interface Measurement {
  count(by?: number): void;
  /** @param times How often that value was measured. */
  observe(value: number, times?: number): void;
}

export interface Measurements {
  /** What is measured with each request is named once, and held. */
  of(name: EdgeMetricName, labels: Labels): Measurement;
  /** As {@link Measurement.count}. */
  count(name: EdgeMetricName, labels: Labels, by?: number): void;
  /** As {@link Measurement.observe}. */
  observe(name: EdgeMetricName, labels: Labels, value: number, times?: number): void;
  /** Measures when the sums are reported: for what would take time now. It must not reject. */
  later(measure: () => void | Promise<void>): void;
  /** Hands on what there is. Never rejects. */
  flush(): Promise<void>;
}

export interface MeasurementsOptions {
  hand: (samples: Sample[]) => Promise<void>;
  /** Work that goes on after the request. */
  defer: (work: Promise<unknown>) => void;
  wait: (ms: number) => Promise<void>;
}

const GATHER_MS = 2000;

export function createMeasurements({ hand, defer, wait }: MeasurementsOptions): Measurements {
  let samples = new Map<string, Sample>();
  const postponed: (() => void | Promise<void>)[] = [];
  let isGathering = false;
  let lost = 0;

  function measurementOf(name: EdgeMetricName, labels: Labels): Measurement {
    const written = writeLabels(labels);
    const key = `${name}{${written}`;
    const rule = edgeMetrics[name];
    const buckets = 'buckets' in rule ? rule.buckets : [];
    const newSample = (): Sample => {
      const sample = { name, labels: written, sum: 0 };
      samples.set(key, sample);
      return sample;
    };
    return {
      count(by = 1) {
        const sample = samples.get(key) ?? newSample();
        sample.sum += by;
        gather();
      },
      observe(value, times = 1) {
        const sample = samples.get(key) ?? newSample();
        sample.counts ??= new Array<number>(buckets.length + 1).fill(0);
        let at = 0;
        while (at < buckets.length && value > (buckets[at] as number)) at++;
        sample.counts[at] = (sample.counts[at] ?? 0) + times;
        sample.sum += value * times;
        gather();
      },
    };
  }

  function gather(): void {
    if (isGathering) return;
    isGathering = true;
    defer(wait(GATHER_MS).then(measurements.flush));
  }

  const measurements: Measurements = {
    of: measurementOf,
    count: (name, labels, by) => measurementOf(name, labels).count(by),
    observe: (name, labels, value, times) => measurementOf(name, labels).observe(value, times),
    later(measure) {
      postponed.push(measure);
      gather();
    },
    async flush() {
      isGathering = true;
      for (let next = postponed.shift(); next; next = postponed.shift()) await next();
      if (lost > 0) measurementOf('edgewise_metrics_lost_total', {}).count(lost);
      const handed = [...samples.values()];
      samples = new Map();
      isGathering = false;
      if (handed.length === 0) return;
      try {
        await hand(handed);
        lost = 0;
      } catch {
        lost++;
      }
    },
  };
  return measurements;
}

/** Prometheus's text format, version 0.0.4: backslash, quotation mark and line feed are escaped. */
function writeLabels(labels: Labels): string {
  let written = '';
  for (const name in labels) {
    const value = labels[name] ?? '';
    const escaped = /[\\"\n]/.test(value)
      ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
      : value;
    written += `${written === '' ? '' : ','}${name}="${escaped}"`;
  }
  return written;
}
