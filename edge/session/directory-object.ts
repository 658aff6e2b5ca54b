/**
 * What there is of one user's conversations: the list of the sessions, and the newest turn of each sealed
 * conversation. Owns the table `session`; the conversations themselves are the Session objects'.
 */
import { DurableObject } from 'cloudflare:workers';
import type { EdgeBindings } from '../bindings.ts';
import { createStateLedger, type StateClaim, type StateLedger } from './state-ledger.ts';

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

export interface SessionTouch {
  updatedAtMs: number;
  rounds: number;
  /** How long a conversation is kept after its last turn. */
  ttlMs: number;
}

export interface SessionQuery {
  limit: number;
  after: string | undefined;
  sinceMs: number;
}

export class DirectoryObject extends DurableObject<EdgeBindings> {
  readonly #states: StateLedger;

  constructor(context: DurableObjectState, bindings: EdgeBindings) {
    super(context, bindings);
    context.storage.sql.exec(`CREATE TABLE IF NOT EXISTS session (
      id TEXT PRIMARY KEY, created_at_ms INTEGER NOT NULL, updated_at_ms INTEGER NOT NULL, rounds INTEGER NOT NULL)`);
    context.storage.sql.exec(
      'CREATE INDEX IF NOT EXISTS session_by_update ON session (updated_at_ms DESC, id)',
    );
    context.storage.sql.exec(
      'CREATE TABLE IF NOT EXISTS held (id TEXT PRIMARY KEY, until_ms INTEGER NOT NULL)',
    );
    this.#states = createStateLedger(context.storage);
  }

  /** Remembers that there is a Session object of that name until a Unix time in milliseconds, without listing it. */
  hold(id: string, untilMs: number): void {
    this.ctx.storage.sql.exec('INSERT OR REPLACE INTO held (id, until_ms) VALUES (?, ?)', id, untilMs);
  }

  /** Every Session object that may hold something, listed or not. */
  all(nowMs: number): string[] {
    const { sql } = this.ctx.storage;
    sql.exec('DELETE FROM held WHERE until_ms <= ?', nowMs);
    return sql
      .exec<{ id: string }>('SELECT id FROM session UNION SELECT id FROM held')
      .toArray()
      .map(({ id }) => id);
  }

  /** Empties the list. The ids of used sealed states stay: they reveal nothing of their content. */
  clear(): void {
    this.ctx.storage.sql.exec('DELETE FROM session');
    this.ctx.storage.sql.exec('DELETE FROM held');
  }

  /** Puts a session at the top of the list. Those that were not touched for `ttlMs` milliseconds leave it. */
  touch(id: string, { updatedAtMs, rounds, ttlMs }: SessionTouch): void {
    this.#expire(updatedAtMs - ttlMs);
    this.ctx.storage.sql.exec(
      `INSERT INTO session (id, created_at_ms, updated_at_ms, rounds) VALUES (?1, ?2, ?2, ?3)
       ON CONFLICT (id) DO UPDATE SET updated_at_ms = ?2, rounds = ?3`,
      id,
      updatedAtMs,
      rounds,
    );
  }

  /** Newest first, of those touched after `sinceMs`. `after` is the id of the last entry of the page before. */
  list({ limit, after, sinceMs }: SessionQuery): SessionPage {
    this.#expire(sinceMs);
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
    this.ctx.storage.sql.exec('DELETE FROM held WHERE id = ?', id);
  }

  claimState(claim: StateClaim): ReturnType<StateLedger['claim']> {
    return this.#states.claim(claim);
  }

  advanceState(conversation: string, turn: number, turnId: string, nowMs: number): void {
    this.#states.advance(conversation, turn, turnId, nowMs);
  }

  releaseState(conversation: string, turnId: string): void {
    this.#states.release(conversation, turnId);
  }

  #expire(beforeMs: number): void {
    this.ctx.storage.sql.exec('DELETE FROM session WHERE updated_at_ms <= ?', beforeMs);
  }
}

/** The object's methods as its stub has them. */
export interface DirectoryStub {
  hold(id: string, untilMs: number): Promise<void>;
  all(nowMs: number): Promise<string[]>;
  clear(): Promise<void>;
  touch(id: string, touch: SessionTouch): Promise<void>;
  list(query: SessionQuery): Promise<SessionPage>;
  remove(id: string): Promise<void>;
  claimState(claim: StateClaim): Promise<ReturnType<StateLedger['claim']>>;
  advanceState(conversation: string, turn: number, turnId: string, nowMs: number): Promise<void>;
  releaseState(conversation: string, turnId: string): Promise<void>;
}

export function directoryOf(
  bindings: Pick<EdgeBindings, 'DIRECTORY'>,
  owner: { tenant: string; user: string },
): DirectoryStub {
  const { DIRECTORY } = bindings;
  const id = DIRECTORY.idFromName(JSON.stringify([owner.tenant, owner.user]));
  return DIRECTORY.get(id) as unknown as DirectoryStub;
}
