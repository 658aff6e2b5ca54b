/**
 * Tells the archive what happened here until it has heard it: turns that have ended, and that the conversation was deleted.
 * Owns the tables `untold` (turns that are not archived yet; older session files have it by that name) and
 * `archive_mark`; which turns are unarchived is the turn log's to know.
 */
import { type ArchivedTurn, MAX_ARCHIVED_SESSION_TURNS } from '../../shared/protocol/archive-protocol.ts';
import type { ConversationNotes } from '../../shared/protocol/memory-protocol.ts';
import type { ArchiveClient } from '../core-client/archive-client.ts';
import type { ConversationKey } from './context-store.ts';

export interface OutboxOptions {
  storage: DurableObjectStorage;
  archive: ArchiveClient;
  /** The next turns that have ended and are not archived, oldest first, in the form of the archive. */
  unarchived: (limit: number) => Promise<{ key: ConversationKey; turns: ArchivedTurn[] } | undefined>;
  onArchived: (turnIds: readonly string[]) => void;
  /** Most tokens that the conversation's notes may take. */
  notesTokens: number;
  /** The notes as they are now. */
  onNotes: (notes: ConversationNotes) => void;
  now: () => number;
  random: () => number;
}

export interface Outbox {
  /** Whether the archive holds something of this conversation. */
  readonly isArchived: boolean;
  /**
   * Tells what is unarchived. Never rejects.
   * @returns when to try again, Unix time in milliseconds; `undefined` when everything is archived
   */
  deliver(): Promise<number | undefined>;
  /** Does something with the archive when what is under way has ended. */
  inTurn(work: () => Promise<void>): Promise<void>;
  /** The conversation was deleted: its text goes, the usage of its turns is still archived. */
  forget(key: ConversationKey, unarchived: readonly ArchivedTurn[]): void;
  /** Archives nothing more. Resolves when nothing is under way. */
  close(): Promise<void>;
}

const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 600_000;

// long: a factory: the state of the outbox and the short functions over it
export function createOutbox(options: OutboxOptions): Outbox {
  const { storage, archive, unarchived, onArchived, notesTokens, onNotes, now, random } = options;
  const { sql } = storage;
  sql.exec(`CREATE TABLE IF NOT EXISTS archive_mark (
    id INTEGER PRIMARY KEY CHECK (id = 0), is_archived INTEGER NOT NULL, deleted_key TEXT)`);
  sql.exec(
    `CREATE TABLE IF NOT EXISTS untold (turn_id TEXT PRIMARY KEY, key TEXT NOT NULL, body TEXT NOT NULL)`,
  );
  let failures = 0;
  /** What is under way with the archive: one thing after the other. */
  let last: Promise<unknown> = Promise.resolve();

  function mark(): { isArchived: number; deletedKey: string | null } {
    return (
      sql
        .exec<{ isArchived: number; deletedKey: string | null }>(
          'SELECT is_archived AS isArchived, deleted_key AS deletedKey FROM archive_mark',
        )
        .toArray()[0] ?? { isArchived: 0, deletedKey: null }
    );
  }

  async function tellAll(): Promise<void> {
    const { deletedKey } = mark();
    if (deletedKey !== null) {
      const key: ConversationKey = JSON.parse(deletedKey);
      await archive.removeSession(key, key.sessionId);
      sql.exec('UPDATE archive_mark SET deleted_key = NULL');
    }
    for (;;) {
      const left = sql
        .exec<{ turnId: string; key: string; body: string }>(
          'SELECT turn_id AS turnId, key, body FROM untold LIMIT ?',
          MAX_ARCHIVED_SESSION_TURNS,
        )
        .toArray();
      const [first] = left;
      if (!first) break;
      await archive.keep(JSON.parse(first.key), {
        turns: left.map(({ body }) => JSON.parse(body)),
        notesTokens,
      });
      for (const { turnId } of left) sql.exec('DELETE FROM untold WHERE turn_id = ?', turnId);
    }
    for (;;) {
      const next = await unarchived(MAX_ARCHIVED_SESSION_TURNS);
      if (!next) return;
      const { notes } = await archive.keep(next.key, { turns: next.turns, notesTokens });
      if (notes) onNotes(notes);
      if (next.turns.some(({ messages }) => messages.length > 0))
        sql.exec(
          `INSERT INTO archive_mark (id, is_archived) VALUES (0, 1) ON CONFLICT (id) DO UPDATE SET is_archived = 1`,
        );
      onArchived(next.turns.map(({ turnId }) => turnId));
    }
  }

  async function deliver(): Promise<number | undefined> {
    try {
      await tellAll();
      failures = 0;
      return undefined;
    } catch {
      // The core is away, or its database is: it hears it later.
      const waitMs = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** failures++);
      return now() + waitMs * (0.5 + random() / 2);
    }
  }

  return {
    get isArchived() {
      return mark().isArchived === 1;
    },
    deliver() {
      // What came meanwhile goes with the next.
      const run = last.then(deliver);
      last = run;
      return run;
    },
    inTurn(work) {
      const run = last.then(work);
      last = run.catch(() => undefined);
      return run;
    },
    close() {
      return this.inTurn(async () => {
        sql.exec('DELETE FROM untold');
        sql.exec('DELETE FROM archive_mark');
      });
    },
    forget(key, turns) {
      for (const turn of turns) {
        const body = JSON.stringify({ ...turn, messages: [], system: null });
        sql.exec(
          'INSERT OR REPLACE INTO untold (turn_id, key, body) VALUES (?, ?, ?)',
          turn.turnId,
          JSON.stringify(key),
          body,
        );
      }
      // What was sent may have arrived although no answer came back: it is always deleted there.
      sql.exec(
        `INSERT INTO archive_mark (id, is_archived, deleted_key) VALUES (0, 0, ?1)
         ON CONFLICT (id) DO UPDATE SET is_archived = 0, deleted_key = ?1`,
        JSON.stringify(key),
      );
    },
  };
}
