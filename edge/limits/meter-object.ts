/**
 * The meters of one tenant, its users and its keys, so that one call decides on all of them at once. Owns the tables
 * `meter` and `reservation`.
 */
import { DurableObject } from 'cloudflare:workers';
import { AppError } from '../../shared/errors.ts';
import type { LimitState } from '../../shared/limit-mark.ts';
import type { EdgeBindings } from '../bindings.ts';
import type { Decision, Limits, Reservation, Settlement, Subject } from './limits.ts';
import { atTime, bucketState, charged, emptyMeter, type MeterState, refusalOf } from './meter.ts';

/** What is settled later than this is no longer put right. */
const KEPT_MS = 3_600_000;

type ReservationRow = { tokens: number; micros: number; subjects: string; settled: number };

export class MeterObject extends DurableObject<EdgeBindings> {
  constructor(state: DurableObjectState, bindings: EdgeBindings) {
    super(state, bindings);
    const { sql } = state.storage;
    sql.exec('CREATE TABLE IF NOT EXISTS meter (subject TEXT PRIMARY KEY, state TEXT NOT NULL)');
    sql.exec(`CREATE TABLE IF NOT EXISTS reservation (
      id TEXT PRIMARY KEY, subjects TEXT NOT NULL, tokens INTEGER NOT NULL, micros INTEGER NOT NULL,
      made_at_ms INTEGER NOT NULL, settled INTEGER NOT NULL DEFAULT 0)`);
    sql.exec('CREATE INDEX IF NOT EXISTS reservation_by_age ON reservation (made_at_ms)');
    sql.exec(`CREATE TABLE IF NOT EXISTS running (
      subject TEXT NOT NULL, id TEXT NOT NULL, until_ms INTEGER NOT NULL, PRIMARY KEY (subject, id))`);
    sql.exec('CREATE INDEX IF NOT EXISTS running_by_end ON running (until_ms)');
  }

  /** @param nowMs Unix time in milliseconds; the Worker's, so that tests can turn the clock. */
  reserve({ id, subjects, requests, tokens, micros, holdMs }: Reservation, nowMs: number): Decision {
    const { sql } = this.ctx.storage;
    this.#forget(nowMs);
    const charge = { requests, tokens, micros };
    const states = new Map(subjects.map(({ name }) => [name, atTime(this.#read(name), nowMs)]));
    if (this.#find(id)) return granted(subjects, states, nowMs);
    for (const { name, limits } of subjects) {
      const state = states.get(name) as MeterState;
      const refusal = refusalOf(state, limits, charge, this.#running(name), nowMs);
      if (refusal) return { granted: false, subject: name, ...refusal };
    }
    for (const { name, limits } of subjects) {
      const state = charged(states.get(name) as MeterState, limits, charge, nowMs);
      states.set(name, state);
      this.#write(name, state);
      sql.exec('INSERT OR REPLACE INTO running VALUES (?, ?, ?)', name, id, nowMs + holdMs);
    }
    sql.exec(
      'INSERT INTO reservation (id, subjects, tokens, micros, made_at_ms) VALUES (?, ?, ?, ?, ?)',
      id,
      JSON.stringify(subjects),
      tokens,
      micros,
      nowMs,
    );
    return granted(subjects, states, nowMs);
  }

  settle({ id, tokens, micros }: Settlement, nowMs: number): void {
    const { sql } = this.ctx.storage;
    const row = this.#find(id);
    if (!row || row.settled === 1) return;
    sql.exec('UPDATE reservation SET settled = 1 WHERE id = ?', id);
    for (const { name, limits } of JSON.parse(row.subjects) as Subject[]) {
      sql.exec('DELETE FROM running WHERE subject = ? AND id = ?', name, id);
      const change = { requests: 0, tokens: tokens - row.tokens, micros: micros - row.micros };
      this.#write(name, charged(atTime(this.#read(name), nowMs), limits, change, nowMs));
    }
  }

  #find(id: string): ReservationRow | undefined {
    return this.ctx.storage.sql
      .exec<ReservationRow>('SELECT tokens, micros, subjects, settled FROM reservation WHERE id = ?', id)
      .toArray()[0];
  }

  #read(subject: string): MeterState {
    const [row] = this.ctx.storage.sql
      .exec<{ state: string }>('SELECT state FROM meter WHERE subject = ?', subject)
      .toArray();
    return row ? JSON.parse(row.state) : emptyMeter;
  }

  #write(subject: string, state: MeterState): void {
    this.ctx.storage.sql.exec('INSERT OR REPLACE INTO meter VALUES (?, ?)', subject, JSON.stringify(state));
  }

  #running(subject: string): number {
    return this.ctx.storage.sql
      .exec<{ count: number }>('SELECT COUNT(*) AS count FROM running WHERE subject = ?', subject)
      .one().count;
  }

  #forget(nowMs: number): void {
    this.ctx.storage.sql.exec('DELETE FROM running WHERE until_ms <= ?', nowMs);
    this.ctx.storage.sql.exec('DELETE FROM reservation WHERE made_at_ms <= ?', nowMs - KEPT_MS);
  }
}

/** The states of the subject that is nearest to its limit. */
function granted(subjects: Subject[], states: Map<string, MeterState>, nowMs: number): Decision {
  const of = (
    limit: 'requestsPerMinute' | 'tokensPerMinute',
    time: 'requestsEmptyAtMs' | 'tokensEmptyAtMs',
  ) =>
    subjects
      .flatMap(({ name, limits }): LimitState[] => {
        const perMinute = limits[limit];
        const state = states.get(name);
        return perMinute === undefined || !state ? [] : [bucketState(state[time], perMinute, nowMs)];
      })
      .sort((one, other) => one.remaining - other.remaining)[0];
  const requests = of('requestsPerMinute', 'requestsEmptyAtMs');
  const tokens = of('tokensPerMinute', 'tokensEmptyAtMs');
  return { granted: true, ...(requests && { requests }), ...(tokens && { tokens }) };
}

/** The object's methods as its stub has them. */
interface MeterStub {
  reserve(reservation: Reservation, nowMs: number): Promise<Decision>;
  settle(settlement: Settlement, nowMs: number): Promise<void>;
}

/** @param now Unix time in milliseconds */
export function createMeterLimits({ METER }: Pick<EdgeBindings, 'METER'>, now: () => number): Limits {
  const meterOf = (tenant: string) =>
    METER.get(METER.idFromName(JSON.stringify([tenant]))) as unknown as MeterStub;

  async function reach<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw new AppError('limits_unavailable', { cause });
    }
  }

  return {
    reserve: (reservation) => reach(async () => meterOf(reservation.tenant).reserve(reservation, now())),
    settle: (settlement) => reach(async () => meterOf(settlement.tenant).settle(settlement, now())),
  };
}
