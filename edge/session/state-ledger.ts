/**
 * Which turn of each sealed conversation is the newest: all that the server keeps of a conversation that is
 * in its client's hands. Owns the table `sealed_conversation` of one user's Directory object.
 */
export interface StateClaim {
  conversation: string;
  /** The turn that the client's state ends with. */
  turn: number;
  /** Who claims; the same turn may claim again. */
  turnId: string;
  /** Unix time in milliseconds. */
  nowMs: number;
  /** How long a claim holds at most, in milliseconds. */
  holdMs: number;
  /** Conversations untouched for longer are forgotten; their states are too old to be opened. */
  ttlMs: number;
}

export interface StateLedger {
  /** Takes the conversation's next turn. `stale`: the state is not the newest; `busy`: another turn has it. */
  claim(claim: StateClaim): 'taken' | 'stale' | 'busy';
  /** The turn is answered: `turn` is the newest now. That turn itself may still claim the one before, after a crash. */
  advance(conversation: string, turn: number, turnId: string, nowMs: number): void;
  /** The turn came to nothing: its state can be used again. */
  release(conversation: string, turnId: string): void;
}

export function createStateLedger({ sql }: Pick<DurableObjectStorage, 'sql'>): StateLedger {
  sql.exec(`CREATE TABLE IF NOT EXISTS sealed_conversation (
    id TEXT PRIMARY KEY, turn INTEGER NOT NULL, touched_at_ms INTEGER NOT NULL,
    answered_by TEXT, claimed_by TEXT, claimed_until_ms INTEGER NOT NULL DEFAULT 0)`);
  sql.exec('CREATE INDEX IF NOT EXISTS sealed_conversation_by_touch ON sealed_conversation (touched_at_ms)');

  return {
    claim({ conversation, turn, turnId, nowMs, holdMs, ttlMs }) {
      sql.exec('DELETE FROM sealed_conversation WHERE touched_at_ms < ?', nowMs - ttlMs);
      const [row] = sql
        .exec<{ turn: number; answeredBy: string | null; claimedBy: string | null; claimedUntilMs: number }>(
          `SELECT turn, answered_by AS answeredBy, claimed_by AS claimedBy, claimed_until_ms AS claimedUntilMs
           FROM sealed_conversation WHERE id = ?`,
          conversation,
        )
        .toArray();
      if (row?.turn === turn + 1 && row.answeredBy === turnId) return 'taken';
      if (!row || row.turn !== turn) return 'stale';
      if (row.claimedBy !== null && row.claimedBy !== turnId && row.claimedUntilMs > nowMs) return 'busy';
      sql.exec(
        'UPDATE sealed_conversation SET claimed_by = ?, claimed_until_ms = ?, touched_at_ms = ? WHERE id = ?',
        turnId,
        nowMs + holdMs,
        nowMs,
        conversation,
      );
      return 'taken';
    },

    advance(conversation, turn, turnId, nowMs) {
      sql.exec(
        `INSERT INTO sealed_conversation (id, turn, answered_by, touched_at_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET turn = ?2, answered_by = ?3, touched_at_ms = ?4, claimed_by = NULL`,
        conversation,
        turn,
        turnId,
        nowMs,
      );
    },

    release(conversation, turnId) {
      sql.exec(
        'UPDATE sealed_conversation SET claimed_by = NULL WHERE id = ? AND claimed_by = ?',
        conversation,
        turnId,
      );
    },
  };
}
