/** Answers in the SQLite of an Answers object: the default. Owns the table `answer`; bounded by bytes. */
import type { AnswerStore } from './answer-store.ts';

export interface SqliteAnswerStore extends AnswerStore {
  /** Removes expired answers. @returns when the next one expires, Unix time in milliseconds */
  expire(): number | undefined;
}

export interface SqliteAnswerStoreOptions {
  storage: Pick<DurableObjectStorage, 'sql'>;
  /** Most bytes of all answers; the oldest are evicted first. */
  maxBytes: number;
  /** Unix time in milliseconds. */
  now: () => number;
}

type Row = { scope: string; body: string } & Record<string, SqlStorageValue>;

/** An object holds the answers of one tenant, so rows need no tenant. */
// long: a factory with one short function per method of the store
export function createSqliteAnswerStore({
  storage,
  maxBytes,
  now,
}: SqliteAnswerStoreOptions): SqliteAnswerStore {
  const { sql } = storage;
  sql.exec(`CREATE TABLE IF NOT EXISTS answer (
    key TEXT NOT NULL, scope TEXT NOT NULL, model TEXT NOT NULL, stored_at_ms INTEGER NOT NULL,
    fresh_until_ms INTEGER NOT NULL, stale_until_ms INTEGER NOT NULL, prepared INTEGER NOT NULL,
    bytes INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (key, scope))`);
  sql.exec('CREATE INDEX IF NOT EXISTS answer_by_age ON answer (prepared, stored_at_ms)');
  sql.exec('CREATE INDEX IF NOT EXISTS answer_by_end ON answer (stale_until_ms)');
  sql.exec('CREATE INDEX IF NOT EXISTS answer_by_model ON answer (model)');
  /** Counted once and then updated, so that storing an answer does not count all of them. */
  let bytes = sql.exec<{ bytes: number }>('SELECT COALESCE(SUM(bytes), 0) AS bytes FROM answer').one().bytes;

  function forget(condition: string, ...values: (string | number)[]): number {
    const gone = sql
      .exec<{ bytes: number }>(`DELETE FROM answer WHERE ${condition} RETURNING bytes`, ...values)
      .toArray();
    for (const row of gone) bytes -= row.bytes;
    return gone.length;
  }

  return {
    async find(_tenant, key, scopes) {
      const places = scopes.map(() => '?').join(', ');
      const rows = sql
        .exec<Row>(
          `SELECT scope, body FROM answer WHERE key = ? AND scope IN (${places}) AND stale_until_ms > ?`,
          key,
          ...scopes,
          now(),
        )
        .toArray();
      const [row] = scopes.flatMap((wanted) => rows.filter(({ scope }) => scope === wanted));
      return row && JSON.parse(row.body);
    },

    async keep(_tenant, entry) {
      const body = JSON.stringify(entry);
      forget('key = ? AND scope = ?', entry.key, entry.scope);
      // Evicts answers that are not prepared first, and among those the oldest.
      while (bytes > 0 && bytes + body.length > maxBytes) {
        forget('rowid IN (SELECT rowid FROM answer ORDER BY prepared, stored_at_ms LIMIT 16)');
      }
      sql.exec(
        'INSERT INTO answer VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        entry.key,
        entry.scope,
        entry.model,
        entry.storedAtMs,
        entry.freshUntilMs,
        entry.staleUntilMs,
        entry.isPrepared ? 1 : 0,
        body.length,
        body,
      );
      bytes += body.length;
    },

    async remove(_tenant, { key, model, user }) {
      const conditions = ['TRUE'];
      const values: string[] = [];
      const require = (condition: string, ...parameters: string[]) => {
        conditions.push(condition);
        values.push(...parameters);
      };
      if (key !== undefined) require('key = ?', key);
      if (model !== undefined) require('model = ?', model);
      if (user !== undefined) require("(scope = ? OR json_extract(body, '$.askedBy') = ?)", user, user);
      return forget(conditions.join(' AND '), ...values);
    },

    expire() {
      forget('stale_until_ms <= ?', now());
      return (
        sql.exec<{ next: number | null }>('SELECT MIN(stale_until_ms) AS next FROM answer').one().next ??
        undefined
      );
    },
  };
}
