/**
 * The record of a conversation's turns and their events, in the Session object's SQLite. An event is here
 * before any client sees it. Owns the tables `turn` and `turn_event`; who reads and when is not its business.
 */
import type { NumberedTurnEvent, TurnStatus } from '../../shared/turn/turn-events.ts';

export interface TurnRow {
  turnId: string;
  status: TurnStatus | 'in_progress';
  /** What started the turn, as JSON. */
  command: string;
  /** Which model was asked, as JSON; `null` until one was. */
  asked: string | null;
  /** Unix times in milliseconds. */
  startedAtMs: number;
  endedAtMs: number | null;
}

export interface LoggedEvents {
  events: NumberedTurnEvent[];
  /** How many of the model's events they came from, from the turn's beginning. */
  modelEvents: number;
}

export interface TurnLog {
  begin(turnId: string, command: string, startedAtMs: number): void;
  ask(turnId: string, asked: string): void;
  append(turnId: string, batch: LoggedEvents): void;
  end(turnId: string, status: TurnStatus, endedAtMs: number): void;
  find(turnId: string): TurnRow | undefined;
  /** The turn that began last. */
  newest(): TurnRow | undefined;
  /** The turns that began after one, in their order. */
  since(turnId: string): TurnRow[];
  /** Turns without an end, in the order of their beginning. */
  unfinished(): TurnRow[];
  /** The next events after number `after`, in a frame of bounded size; empty when there are none yet. */
  read(turnId: string, after: number): NumberedTurnEvent[];
  /** Everything of a turn. */
  readAll(turnId: string): LoggedEvents;
  remove(turnId: string): void;
  /** The next turns that have ended and that the archive has not heard of, oldest first; removed ones, too. */
  unarchived(limit: number): TurnRow[];
  markArchived(turnIds: readonly string[]): void;
  /** The turn that an idempotency key started, with the hash of what it was asked. */
  findByKey(key: string): { turnId: string; bodyHash: string } | undefined;
  keepKey(key: string, bodyHash: string, turnId: string): void;
  /** Removes turns that ended before that Unix time in milliseconds and are archived. @returns whether any turn is left */
  expire(beforeMs: number): boolean;
  clear(): void;
}

/** A row holds at most this many characters of events, so that rows stay small. */
const MAX_ROW_CHARS = 64 * 1024;
/** Rows read at once, which bounds the memory of a replay. */
const FRAME_ROWS = 16;

const TURN_COLUMNS =
  'turn_id AS turnId, status, command, asked, started_at_ms AS startedAtMs, ended_at_ms AS endedAtMs';

/** @param isTold Whether there is no archive that would have to hear of a turn. */
// long: a factory: one short function for each method of the log
export function createTurnLog(storage: DurableObjectStorage, isTold: boolean): TurnLog {
  const { sql } = storage;
  sql.exec(`CREATE TABLE IF NOT EXISTS turn (
    turn_id TEXT PRIMARY KEY, status TEXT NOT NULL, command TEXT NOT NULL, asked TEXT,
    started_at_ms INTEGER NOT NULL, ended_at_ms INTEGER,
    is_told INTEGER NOT NULL DEFAULT 1, is_removed INTEGER NOT NULL DEFAULT 0)`);
  sql.exec(`CREATE TABLE IF NOT EXISTS turn_event (
    turn_id TEXT NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
    model_events INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (turn_id, first_seq)) WITHOUT ROWID`);

  sql.exec(`CREATE TABLE IF NOT EXISTS idempotency_key (
    key TEXT PRIMARY KEY, body_hash TEXT NOT NULL, turn_id TEXT NOT NULL)`);

  function turns(condition: string, ...values: string[]): TurnRow[] {
    return sql
      .exec<TurnRow & Record<string, SqlStorageValue>>(
        `SELECT ${TURN_COLUMNS} FROM turn ${condition}`,
        ...values,
      )
      .toArray();
  }

  function readRows(turnId: string, after: number, limit: number): LoggedEvents {
    const rows = sql
      .exec<{ first: number; modelEvents: number; body: string }>(
        `SELECT first_seq AS first, model_events AS modelEvents, body FROM turn_event
         WHERE turn_id = ? AND last_seq > ? ORDER BY first_seq LIMIT ?`,
        turnId,
        after,
        limit,
      )
      .toArray();
    const events: NumberedTurnEvent[] = [];
    for (const { first, body } of rows) {
      const logged: NumberedTurnEvent['event'][] = JSON.parse(body);
      logged.forEach((event, index) => {
        if (first + index > after) events.push({ seq: first + index, event });
      });
    }
    return { events, modelEvents: rows.at(-1)?.modelEvents ?? 0 };
  }

  /** What nobody shall read any more goes as soon as the archive has heard of it. */
  function sweep(): void {
    const isGone = 'is_removed = 1 AND is_told = 1';
    sql.exec(`DELETE FROM turn_event WHERE turn_id IN (SELECT turn_id FROM turn WHERE ${isGone})`);
    sql.exec(`DELETE FROM turn WHERE ${isGone}`);
  }

  const log: TurnLog = {
    begin(turnId, command, startedAtMs) {
      sql.exec(
        `INSERT INTO turn (turn_id, status, command, started_at_ms, is_told) VALUES (?, 'in_progress', ?, ?, ?)`,
        turnId,
        command,
        startedAtMs,
        isTold ? 1 : 0,
      );
    },

    ask(turnId, asked) {
      sql.exec('UPDATE turn SET asked = ? WHERE turn_id = ?', asked, turnId);
    },

    append(turnId, { events, modelEvents }) {
      const [first] = events;
      if (!first) return;
      const body = JSON.stringify(events.map(({ event }) => event));
      if (body.length > MAX_ROW_CHARS && events.length > 1) {
        const middle = events.length >> 1;
        log.append(turnId, { events: events.slice(0, middle), modelEvents });
        log.append(turnId, { events: events.slice(middle), modelEvents });
        return;
      }
      sql.exec(
        'INSERT INTO turn_event (turn_id, first_seq, last_seq, model_events, body) VALUES (?, ?, ?, ?, ?)',
        turnId,
        first.seq,
        first.seq + events.length - 1,
        modelEvents,
        body,
      );
    },

    end(turnId, status, endedAtMs) {
      sql.exec('UPDATE turn SET status = ?, ended_at_ms = ? WHERE turn_id = ?', status, endedAtMs, turnId);
    },

    find: (turnId) => turns('WHERE turn_id = ? AND is_removed = 0', turnId)[0],
    newest: () => turns('WHERE is_removed = 0 ORDER BY started_at_ms DESC, rowid DESC LIMIT 1')[0],
    since: (turnId) =>
      turns(
        'WHERE rowid > (SELECT rowid FROM turn WHERE turn_id = ?) AND is_removed = 0 ORDER BY rowid',
        turnId,
      ),
    unfinished: () => turns(`WHERE status = 'in_progress' ORDER BY started_at_ms, rowid`),
    read: (turnId, after) => readRows(turnId, after, FRAME_ROWS).events,
    readAll: (turnId) => readRows(turnId, -1, Number.MAX_SAFE_INTEGER),

    remove(turnId) {
      sql.exec('UPDATE turn SET is_removed = 1 WHERE turn_id = ?', turnId);
      sweep();
    },

    unarchived: (limit) =>
      turns(`WHERE is_told = 0 AND status <> 'in_progress' ORDER BY rowid LIMIT ${Math.floor(limit)}`),

    markArchived(turnIds) {
      for (const turnId of turnIds) sql.exec('UPDATE turn SET is_told = 1 WHERE turn_id = ?', turnId);
      sweep();
    },

    findByKey(key) {
      return sql
        .exec<{ turnId: string; bodyHash: string }>(
          `SELECT turn_id AS turnId, body_hash AS bodyHash FROM idempotency_key
           WHERE key = ? AND turn_id IN (SELECT turn_id FROM turn WHERE is_removed = 0)`,
          key,
        )
        .toArray()[0];
    },

    keepKey(key, bodyHash, turnId) {
      sql.exec(
        'INSERT OR REPLACE INTO idempotency_key (key, body_hash, turn_id) VALUES (?, ?, ?)',
        key,
        bodyHash,
        turnId,
      );
    },

    expire(beforeMs) {
      sql.exec('UPDATE turn SET is_removed = 1 WHERE ended_at_ms < ?', beforeMs);
      sweep();
      sql.exec('DELETE FROM idempotency_key WHERE turn_id NOT IN (SELECT turn_id FROM turn)');
      return turns('LIMIT 1').length > 0;
    },

    clear() {
      sql.exec('DELETE FROM turn_event');
      sql.exec('DELETE FROM turn');
      sql.exec('DELETE FROM idempotency_key');
    },
  };
  return log;
}

/** A turn's events from the beginning, in frames. */
export async function* readLogged(
  log: TurnLog,
  turnId: string,
): AsyncGenerator<{ events: NumberedTurnEvent[] }, void, void> {
  let after = -1;
  for (;;) {
    const events = log.read(turnId, after);
    const last = events.at(-1);
    if (!last) return;
    yield { events };
    after = last.seq;
  }
}
