/**
 * Adds up what all isolates of the edge have measured. Owns the table `sample`, which is written some seconds after a change:
 * a crash in between loses those seconds, and no more.
 */
import { DurableObject } from 'cloudflare:workers';
import type { EdgeMetricName } from '../../shared/observe/metric-names.ts';
import { setAlarmNoLaterThan } from '../alarm.ts';
import type { EdgeBindings } from '../bindings.ts';
import type { Sample } from './measurements.ts';
import { toMetricsText } from './metrics-text.ts';

const WRITE_MS = 5000;

export class MetricsObject extends DurableObject<EdgeBindings> {
  readonly #samples = new Map<string, Sample>();
  readonly #unwritten = new Set<string>();

  constructor(state: DurableObjectState, bindings: EdgeBindings) {
    super(state, bindings);
    const { sql } = state.storage;
    sql.exec(`CREATE TABLE IF NOT EXISTS sample (
      name TEXT NOT NULL, labels TEXT NOT NULL, sum REAL NOT NULL, counts TEXT, PRIMARY KEY (name, labels)) WITHOUT ROWID`);
    const rows = sql
      .exec<{ name: string; labels: string; sum: number; counts: string | null }>('SELECT * FROM sample')
      .toArray();
    for (const { name, labels, sum, counts } of rows) {
      const sample: Sample = { name: name as EdgeMetricName, labels, sum };
      if (counts !== null) sample.counts = JSON.parse(counts);
      this.#samples.set(keyOf(sample), sample);
    }
  }

  async add(samples: readonly Sample[]): Promise<void> {
    for (const sample of samples) {
      const key = keyOf(sample);
      const known = this.#samples.get(key);
      this.#unwritten.add(key);
      if (!known) {
        this.#samples.set(key, sample);
        continue;
      }
      known.sum += sample.sum;
      if (sample.counts)
        known.counts = sample.counts.map((count, index) => count + (known.counts?.[index] ?? 0));
    }
    await setAlarmNoLaterThan(this.ctx.storage, Date.now() + WRITE_MS);
  }

  /** Resolves when the storage has been written. @throws Error when it cannot be */
  async writeToStorage(): Promise<void> {
    await this.ctx.storage.put('readiness', Date.now());
    await this.ctx.storage.sync();
  }

  text(): string {
    return toMetricsText(this.#samples.values());
  }

  override alarm(): void {
    for (const key of this.#unwritten) {
      const { name, labels, sum, counts } = this.#samples.get(key) as Sample;
      this.ctx.storage.sql.exec(
        'INSERT OR REPLACE INTO sample VALUES (?, ?, ?, ?)',
        name,
        labels,
        sum,
        counts ? JSON.stringify(counts) : null,
      );
    }
    this.#unwritten.clear();
  }
}

function keyOf({ name, labels }: Sample): string {
  return `${name}{${labels}`;
}

export type MetricsStub = Pick<MetricsObject, 'add' | 'writeToStorage'> & { text(): Promise<string> };

/** One for the whole edge. */
export function metricsOf({ METRICS }: Pick<EdgeBindings, 'METRICS'>): MetricsStub {
  return METRICS.get(METRICS.idFromName('edge')) as unknown as MetricsStub;
}
