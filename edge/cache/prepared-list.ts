/** The prepared questions of an Answers object, whose answers are regenerated before they expire. Owns the table `prepared`. */
import type { CacheQuestion } from './answer-key.ts';

export interface PreparedQuestion {
  question: CacheQuestion;
  ttlMs: number;
  /** When to regenerate, Unix time in milliseconds. */
  dueAtMs: number;
}

export interface PreparedList {
  put(prepared: PreparedQuestion): void;
  /** At most `limit` questions that are due, the longest overdue first. */
  due(nowMs: number, limit: number): PreparedQuestion[];
  /** When the next one is due. */
  nextMs(): number | undefined;
  remove(which: { key?: string | undefined; model?: string | undefined }): void;
}

export function createPreparedList({ sql }: Pick<DurableObjectStorage, 'sql'>): PreparedList {
  sql.exec(`CREATE TABLE IF NOT EXISTS prepared (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, due_at_ms INTEGER NOT NULL, body TEXT NOT NULL)`);
  sql.exec('CREATE INDEX IF NOT EXISTS prepared_by_due ON prepared (due_at_ms)');

  return {
    put(prepared) {
      const { key, model } = prepared.question;
      sql.exec(
        'INSERT OR REPLACE INTO prepared VALUES (?, ?, ?, ?)',
        key,
        model,
        prepared.dueAtMs,
        JSON.stringify(prepared),
      );
    },
    due: (nowMs, limit) =>
      sql
        .exec<{ body: string }>(
          'SELECT body FROM prepared WHERE due_at_ms <= ? ORDER BY due_at_ms LIMIT ?',
          nowMs,
          limit,
        )
        .toArray()
        .map(({ body }): PreparedQuestion => JSON.parse(body)),
    nextMs: () =>
      sql.exec<{ next: number | null }>('SELECT MIN(due_at_ms) AS next FROM prepared').one().next ??
      undefined,
    remove({ key, model }) {
      sql.exec(
        'DELETE FROM prepared WHERE (?1 IS NULL OR key = ?1) AND (?2 IS NULL OR model = ?2)',
        key ?? null,
        model ?? null,
      );
    },
  };
}
