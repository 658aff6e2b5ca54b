/**
 * What this isolate has measured and not handed on yet. Owns the sums; every {@link GATHER_MS} they go to the object that adds
 * up all isolates, behind the requests. Measuring is a look into a map.
 */
import { type EdgeMetricName, edgeMetrics } from '../../shared/metric-names.ts';

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

export interface Measurements {
  count(name: EdgeMetricName, labels: Labels, by?: number): void;
  /** @param times How often that value was measured. */
  observe(name: EdgeMetricName, labels: Labels, value: number, times?: number): void;
  /** Measures when the sums are handed on: for what would take time now. */
  later(measure: () => void): void;
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
  let postponed: (() => void)[] = [];
  let isGathering = false;
  let lost = 0;

  function sampleOf(name: EdgeMetricName, labels: Labels): Sample {
    const written = writeLabels(labels);
    const key = `${name}{${written}`;
    let sample = samples.get(key);
    if (!sample) {
      sample = { name, labels: written, sum: 0 };
      samples.set(key, sample);
    }
    return sample;
  }

  function gather(): void {
    if (isGathering) return;
    isGathering = true;
    defer(wait(GATHER_MS).then(measurements.flush));
  }

  const measurements: Measurements = {
    count(name, labels, by = 1) {
      sampleOf(name, labels).sum += by;
      gather();
    },
    observe(name, labels, value, times = 1) {
      const rule = edgeMetrics[name];
      const buckets = 'buckets' in rule ? rule.buckets : [];
      const sample = sampleOf(name, labels);
      sample.counts ??= new Array<number>(buckets.length + 1).fill(0);
      const bucket = buckets.findIndex((bound) => value <= bound);
      const at = bucket < 0 ? buckets.length : bucket;
      sample.counts[at] = (sample.counts[at] ?? 0) + times;
      sample.sum += value * times;
      gather();
    },
    later(measure) {
      postponed.push(measure);
      gather();
    },
    async flush() {
      const measures = postponed;
      postponed = [];
      isGathering = true;
      for (const measure of measures) measure();
      if (lost > 0) sampleOf('edgewise_metrics_lost_total', {}).sum += lost;
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
