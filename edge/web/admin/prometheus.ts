/** Reads Prometheus' text form, and turns what was read at two moments into what happened in between. */

export interface Sample {
  name: string;
  labels: Readonly<Record<string, string>>;
  value: number;
}

export interface Family {
  name: string;
  help: string;
  type: string;
  samples: Sample[];
}

const SAMPLE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$/;
const LABEL = /([A-Za-z_]\w*)="((?:\\.|[^"\\])*)"/g;

/** Lines that are none of the form are passed over. */
export function parsePrometheus(text: string): Family[] {
  const families = new Map<string, Family>();
  const familyOf = (name: string): Family => {
    const known = families.get(name) ?? { name, help: '', type: 'untyped', samples: [] };
    families.set(name, known);
    return known;
  };
  for (const line of text.split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? [];
    if (kind === 'HELP') familyOf(name).help = unescapeText(rest);
    else if (kind === 'TYPE') familyOf(name).type = rest;
    else if (line !== '' && !line.startsWith('#')) {
      const [, sample, labelText = '', value = ''] = SAMPLE.exec(line) ?? [];
      if (sample === undefined) continue;
      const labels: Record<string, string> = {};
      for (const [, label = '', text = ''] of labelText.matchAll(LABEL)) labels[label] = unescapeText(text);
      const base = sample.replace(/_(?:bucket|sum|count)$/, '');
      const family = families.has(sample) || !families.has(base) ? sample : base;
      familyOf(family).samples.push({ name: sample, labels, value: toNumber(value) });
    }
  }
  return [...families.values()].filter(({ samples }) => samples.length > 0);
}

function unescapeText(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
}

function toNumber(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}

/** One line of a chart. */
export interface Line {
  name: string;
  value: number;
}

/**
 * What a family says about the time between two readings: a counter's rate a second, a gauge's value, a histogram's
 * 95th percentile. Without a reading before, only gauges say anything.
 */
export function linesOf(now: Family, before: Family | undefined, seconds: number): Line[] {
  if (now.type === 'gauge' || now.type === 'untyped')
    return now.samples.map(({ labels, value }) => ({ name: labelText(labels), value }));
  if (!before || seconds <= 0) return [];
  const earlier = new Map(before.samples.map((sample) => [keyOf(sample), sample.value]));
  // A counter that went down has begun anew.
  const grown = (sample: Sample) => {
    const change = sample.value - (earlier.get(keyOf(sample)) ?? 0);
    return change < 0 ? sample.value : change;
  };
  if (now.type !== 'histogram') {
    return now.samples.map((sample) => ({ name: labelText(sample.labels), value: grown(sample) / seconds }));
  }
  const series = new Map<string, { le: number; count: number }[]>();
  for (const sample of now.samples) {
    if (!sample.name.endsWith('_bucket')) continue;
    const { le = '', ...labels } = sample.labels;
    const name = labelText(labels);
    series.set(name, [...(series.get(name) ?? []), { le: toNumber(le), count: grown(sample) }]);
  }
  return [...series].flatMap(([name, buckets]) => {
    const value = quantile(0.95, buckets);
    return value === undefined ? [] : [{ name, value }];
  });
}

/** As Prometheus estimates it: evenly within a bucket. @returns `undefined` when nothing was observed */
export function quantile(
  share: number,
  buckets: readonly { le: number; count: number }[],
): number | undefined {
  const sorted = [...buckets].sort((a, b) => a.le - b.le);
  const total = sorted.at(-1)?.count ?? 0;
  if (total <= 0) return undefined;
  const wanted = share * total;
  let below = { le: 0, count: 0 };
  for (const bucket of sorted) {
    if (bucket.count >= wanted) {
      if (bucket.le === Number.POSITIVE_INFINITY) return below.le;
      const within = bucket.count - below.count;
      return below.le + (bucket.le - below.le) * (within === 0 ? 1 : (wanted - below.count) / within);
    }
    below = bucket;
  }
  return below.le;
}

/** The values alone: their names are the same along a chart. */
function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.values(labels).filter(Boolean).join(' · ');
}

function keyOf({ name, labels }: Sample): string {
  return `${name}${JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
}
