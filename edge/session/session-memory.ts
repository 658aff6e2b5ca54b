/**
 * What a conversation has beyond its messages: the archive's ear, and the notes that come back from there. Owns the table
 * `notes` and the time of the next attempt to archive; the outbox knows what is archived.
 */

import type { ArchivedTurn } from '../../shared/protocol/archive-protocol.ts';
import {
  type ConversationNotes,
  MEMORY_PART,
  MEMORY_TOKENS,
  withoutTurn,
} from '../../shared/protocol/memory-protocol.ts';
import type { TurnResult } from '../../shared/turn/turn-result.ts';
import type { ArchiveClient } from '../core-client/archive-client.ts';
import { withArchive } from './archived-context-store.ts';
import type { ContextStore, ConversationKey } from './context-store.ts';
import type { WindowLimits } from './context-window.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import type { TurnLog } from './turn-log.ts';
import { toUnarchivedTurns } from './unarchived-turns.ts';

export interface SessionMemoryOptions {
  storage: DurableObjectStorage;
  /** None where archiving is off. */
  archive: ArchiveClient | undefined;
  window: WindowLimits;
  /** Unix time in milliseconds. */
  now: () => number;
  store: ContextStore;
  log: TurnLog;
  resultOf: (turnId: string) => TurnResult;
  /** Told when the archive could not be reached, so that the object wakes up again. */
  onDelay: () => Promise<void>;
}

export class SessionMemory {
  /** The conversation's messages, with those that the archive alone still has. */
  readonly store: ContextStore;
  readonly #options: SessionMemoryOptions;
  readonly #outbox: Outbox | undefined;
  /** Unix time in milliseconds. */
  #retryAtMs: number | undefined;

  constructor(options: SessionMemoryOptions) {
    const { storage, archive, window, now, store, log } = options;
    this.#options = options;
    storage.sql.exec(
      'CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY CHECK (id = 0), body TEXT NOT NULL)',
    );
    this.#outbox =
      archive &&
      createOutbox({
        storage,
        archive,
        notesTokens: notesTokens(window),
        unarchived: (limit) => this.#unarchived(limit),
        onArchived: (turnIds) => log.markArchived(turnIds),
        onNotes: (notes) => this.#keep(notes),
        now,
        random: Math.random,
      });
    const isArchived = () => this.#outbox?.isArchived ?? false;
    this.store = archive
      ? withArchive(store, archive, { isArchived, onNotes: (notes) => this.#keep(notes) })
      : store;
  }

  get notes(): ConversationNotes | undefined {
    const [row] = this.#options.storage.sql.exec<{ body: string }>('SELECT body FROM notes').toArray();
    return row && JSON.parse(row.body);
  }

  /** Whether turns are archived at all. */
  get hasArchive(): boolean {
    return this.#options.archive !== undefined;
  }

  get isArchived(): boolean {
    return this.#outbox?.isArchived ?? false;
  }

  /** When to try again to archive what is left; `undefined` when everything is archived. */
  get archiveRetryAtMs(): number | undefined {
    return this.#retryAtMs;
  }

  /** Archives what is not archived yet; the alarm tries again what fails. */
  async archive(): Promise<void> {
    if (!this.#outbox) return;
    this.#retryAtMs = await this.#outbox.deliver();
    if (this.#retryAtMs !== undefined) await this.#options.onDelay();
  }

  /** What is archived after the turns themselves are gone: their usage, without their text. */
  async lastWords(): Promise<ArchivedTurn[]> {
    return (await this.#unarchived(Number.MAX_SAFE_INTEGER))?.turns ?? [];
  }

  /** The conversation was deleted. */
  forget(key: ConversationKey, lastWords: readonly ArchivedTurn[]): void {
    this.#keep(undefined);
    this.#outbox?.forget(key, lastWords);
  }

  /** The conversation was deleted; the archive deletes everything of its user in one call of its own. */
  async close(): Promise<void> {
    await this.#outbox?.close();
    this.#keep(undefined);
  }

  /** A turn's words are gone: here, and in the archive. @throws AppError when the archive cannot be reached */
  async forgetTurn(key: ConversationKey, turnId: string): Promise<void> {
    // What is not archived yet would bring it back.
    await this.#outbox?.deliver();
    await this.#outbox?.inTurn(async () => {
      await this.#options.archive?.removeTurn(key, key.sessionId, turnId);
      const { notes } = this;
      if (notes) this.#keep(withoutTurn(notes, turnId));
    });
  }

  #keep(notes: ConversationNotes | undefined): void {
    const { sql } = this.#options.storage;
    if (notes) sql.exec('INSERT OR REPLACE INTO notes (id, body) VALUES (0, ?)', JSON.stringify(notes));
    else sql.exec('DELETE FROM notes');
  }

  #unarchived(limit: number) {
    const { log, store, resultOf, window } = this.#options;
    const notedThroughRound = this.notes?.throughRound ?? 0;
    return toUnarchivedTurns(log.unarchived(limit), {
      store,
      resultOf,
      window,
      notedThroughRound,
    });
  }
}

function notesTokens({ tokens }: WindowLimits): number {
  return Math.min(MEMORY_TOKENS, Math.floor(tokens * MEMORY_PART));
}
