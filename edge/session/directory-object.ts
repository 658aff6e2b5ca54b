/** The list of one user's sessions. Owns the table `session`; the conversations themselves are the Session objects'. */
import { DurableObject } from 'cloudflare:workers';
import type { EdgeBindings } from '../env.ts';

export interface SessionEntry {
  id: string;
  /** Unix times in milliseconds. */
  createdAtMs: number;
  updatedAtMs: number;
  rounds: number;
}

export interface SessionPage {
  sessions: SessionEntry[];
  hasMore: boolean;
}

export class DirectoryObject extends DurableObject<EdgeBindings> {
  constructor(context: DurableObjectState, bindings: EdgeBindings) {
    super(context, bindings);
    context.storage.sql.exec(`CREATE TABLE IF NOT EXISTS session (
      id TEXT PRIMARY KEY, created_at_ms INTEGER NOT NULL, updated_at_ms INTEGER NOT NULL, rounds INTEGER NOT NULL)`);
    context.storage.sql.exec(
      'CREATE INDEX IF NOT EXISTS session_by_update ON session (updated_at_ms DESC, id)',
    );
  }

  touch(id: string, updatedAtMs: number, rounds: number): void {
    this.ctx.storage.sql.exec(
      `INSERT INTO session (id, created_at_ms, updated_at_ms, rounds) VALUES (?1, ?2, ?2, ?3)
       ON CONFLICT (id) DO UPDATE SET updated_at_ms = ?2, rounds = ?3`,
      id,
      updatedAtMs,
      rounds,
    );
  }

  /** Newest first. `after` is the id of the last entry of the page before. */
  list(limit: number, after: string | undefined): SessionPage {
    const sessions = this.ctx.storage.sql
      .exec<SessionEntry & Record<string, SqlStorageValue>>(
        `SELECT id, created_at_ms AS createdAtMs, updated_at_ms AS updatedAtMs, rounds FROM session
         WHERE ?1 IS NULL OR (updated_at_ms, id) < (SELECT updated_at_ms, id FROM session WHERE id = ?1)
         ORDER BY updated_at_ms DESC, id DESC LIMIT ?2`,
        after ?? null,
        limit + 1,
      )
      .toArray();
    return { sessions: sessions.slice(0, limit), hasMore: sessions.length > limit };
  }

  remove(id: string): void {
    this.ctx.storage.sql.exec('DELETE FROM session WHERE id = ?', id);
  }
}

export function directoryOf(
  bindings: Pick<EdgeBindings, 'DIRECTORY'>,
  owner: { tenant: string; user: string },
): DurableObjectStub<DirectoryObject> {
  return bindings.DIRECTORY.get(bindings.DIRECTORY.idFromName(JSON.stringify([owner.tenant, owner.user])));
}
