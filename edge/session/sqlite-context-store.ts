/** The conversation in the Session object's own SQLite: the default. Owns the tables `message` and `conversation`. */
import { AppError } from '../../shared/errors.ts';
import { type ContextStore, redactMessage, type StoredMessage } from './context-store.ts';

/** Redis expires keys itself; here the caller removes what is too old. */
export interface ExpiringContextStore extends ContextStore {
  /**
   * Removes the conversation if its newest message came at or before that Unix time in milliseconds.
   * @returns when the newest message of what is left came
   */
  expire(beforeMs: number): number | undefined;
}

/** One object holds one conversation, so the key is not stored again. */
// long: the methods of one store share its helpers; each is short
export function createSqliteContextStore(storage: DurableObjectStorage): ExpiringContextStore {
  const { sql } = storage;
  sql.exec(`CREATE TABLE IF NOT EXISTS message (position INTEGER PRIMARY KEY, body TEXT NOT NULL)`);
  sql.exec(
    `CREATE TABLE IF NOT EXISTS conversation (id INTEGER PRIMARY KEY CHECK (id = 0), system TEXT NOT NULL)`,
  );

  function version(): number {
    return sql.exec<{ version: number }>('SELECT COALESCE(MAX(position), 0) AS version FROM message').one()
      .version;
  }

  function isAt(position: number, message: StoredMessage | undefined): boolean {
    const [row] = sql
      .exec<{ body: string }>('SELECT body FROM message WHERE position = ?', position)
      .toArray();
    return row !== undefined && row.body === JSON.stringify(message);
  }

  function clear(): void {
    sql.exec('DELETE FROM message');
    sql.exec('DELETE FROM conversation');
  }

  return {
    async tail(_key, limit, before = Number.MAX_SAFE_INTEGER) {
      const rows = sql
        .exec<{ body: string }>(
          'SELECT body FROM message WHERE position <= ? ORDER BY position DESC LIMIT ?',
          before,
          limit,
        )
        .toArray();
      const [conversation] = sql.exec<{ system: string }>('SELECT system FROM conversation').toArray();
      return {
        version: version(),
        system: conversation ? JSON.parse(conversation.system) : [],
        messages: rows.reverse().map((row): StoredMessage => JSON.parse(row.body)),
      };
    },

    async append(_key, { expectedVersion, messages, system }) {
      return storage.transactionSync(() => {
        let position = version();
        if (position !== expectedVersion) {
          if (isAt(expectedVersion + 1, messages[0])) return expectedVersion + messages.length;
          throw new AppError('session_conflict');
        }
        for (const message of messages) {
          sql.exec('INSERT INTO message (position, body) VALUES (?, ?)', ++position, JSON.stringify(message));
        }
        if (system) {
          sql.exec('INSERT OR REPLACE INTO conversation (id, system) VALUES (0, ?)', JSON.stringify(system));
        }
        return position;
      });
    },

    async redact(_key, turnId, replace) {
      const rows = sql
        .exec<{ position: number; body: string }>(
          `SELECT position, body FROM message WHERE json_extract(body, '$.turnId') = ?`,
          turnId,
        )
        .toArray();
      for (const { position, body } of rows) {
        const redacted = redactMessage(JSON.parse(body), replace);
        sql.exec('UPDATE message SET body = ? WHERE position = ?', JSON.stringify(redacted), position);
      }
      return rows.length > 0;
    },

    async remove() {
      const existed = version() > 0;
      clear();
      return existed;
    },

    expire(beforeMs) {
      const [newest] = sql
        .exec<{ createdAtMs: number }>(
          `SELECT json_extract(body, '$.createdAtMs') AS createdAtMs FROM message ORDER BY position DESC LIMIT 1`,
        )
        .toArray();
      if (newest && newest.createdAtMs <= beforeMs) clear();
      return newest && newest.createdAtMs > beforeMs ? newest.createdAtMs : undefined;
    },
  };
}
