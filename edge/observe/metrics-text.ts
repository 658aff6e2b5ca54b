import { type EdgeMetricName, edgeMetrics } from '../../shared/observe/metric-names.ts';
import type { Sample } from './measurements.ts';

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Prometheus's text format. Every metric is named, also one that nothing was measured of. */
export function toMetricsText(samples: Iterable<Sample>): string {
  const byName = new Map<EdgeMetricName, Sample[]>();
  for (const sample of samples) byName.set(sample.name, [...(byName.get(sample.name) ?? []), sample]);
  let text = '';
  for (const name of Object.keys(edgeMetrics) as EdgeMetricName[]) {
    const rule = edgeMetrics[name];
    text += `# HELP ${name} ${rule.help}\n# TYPE ${name} ${rule.type}\n`;
    for (const sample of byName.get(name) ?? [])
      text += 'buckets' in rule ? histogram(sample, rule.buckets) : line(name, sample.labels, sample.sum);
  }
  return text;
}

function histogram({ name, labels, sum, counts = [] }: Sample, buckets: readonly number[]): string {
  let text = '';
  let count = 0;
  for (const [index, inBucket] of counts.entries()) {
    count += inBucket;
    const bound = `le="${buckets[index] ?? '+Inf'}"`;
    text += line(`${name}_bucket`, labels === '' ? bound : `${labels},${bound}`, count);
  }
  return text + line(`${name}_sum`, labels, sum) + line(`${name}_count`, labels, count);
}

function line(name: string, labels: string, value: number): string {
  return `${name}${labels === '' ? '' : `{${labels}}`} ${value}\n`;
}
