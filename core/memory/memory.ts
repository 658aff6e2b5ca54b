/**
 * What is remembered of a turn once it is archived: pieces of its messages that can be found, and the conversation's notes.
 * With a model the notes are put better afterwards; nobody waits for that.
 */
import { and, eq, type SQL } from 'drizzle-orm';
import { messageText } from '../../shared/model/chat-model.ts';
import type {
  ArchivedMessage,
  ArchivedTurn,
  ArchiveRequest,
} from '../../shared/protocol/archive-protocol.ts';
import { type ConversationNotes, withoutTurn } from '../../shared/protocol/memory-protocol.ts';
import type { Database, Tables } from '../db/database.ts';
import type { Owner } from '../db/owner.ts';
import { chunks, notes } from '../db/schema.ts';
import { insertChunks, type NewChunk } from '../search/chunk-store.ts';
import type { Search } from '../search/search.ts';
import { piecesOf } from '../text/sentences.ts';
import type { CountText } from './fold-notes.ts';
import { foldNotes, readNotes, refineNotes, writeNotes } from './notes.ts';
import type { Summarise } from './summarise.ts';

export interface Remembered {
  notes: ConversationNotes | undefined;
  conversation: string;
  /** What was folded into the notes now. */
  folded: ArchivedMessage[];
}

export interface Memory {
  /** Within the transaction that keeps the turns. */
  remember(tables: Tables, owner: Owner, request: ArchiveRequest): Promise<Remembered | undefined>;
  /** What takes longer, after it. Never throws. */
  afterwards(owner: Owner, remembered: Remembered | undefined, notesTokens: number): void;
  forgetSession(tables: Tables, owner: Owner, conversation: string): Promise<void>;
  /** @returns the notes that are left */
  forgetTurn(tables: Tables, owner: Owner, turn: { conversation: string; turnId: string }): Promise<void>;
}

export interface MemoryOptions {
  database: Database;
  search: Search;
  count: CountText;
  /** Puts notes better than signs can; none without a model. */
  summarise: Summarise | undefined;
  onError: (error: unknown) => void;
}

const PIECE_CHARS = 1200;
/** Of one message; the rest of a very long one is not found again. */
const MAX_PIECES = 32;

export function createMemory({ database, search, count, summarise, onError }: MemoryOptions): Memory {
  async function refine(
    owner: Owner,
    { conversation, folded }: Remembered,
    maxTokens: number,
  ): Promise<void> {
    const lines = await summarise?.(owner, folded);
    if (!lines) return;
    const turnIds = new Set(folded.map(({ turnId }) => turnId));
    await database.withTenant(owner.tenant, (tables) =>
      refineNotes(tables, owner, { conversation, turnIds, lines }, { maxTokens, count }),
    );
  }

  return {
    async remember(tables, owner, { turns, notesTokens }) {
      await insertChunks(
        tables,
        turns.flatMap((turn) => turn.messages.flatMap((message) => toChunks(owner, turn, message))),
      );
      const newest = turns.findLast(({ sessionId, messages }) => sessionId !== null && messages.length > 0);
      const head = newest?.messages.at(-1);
      if (!newest?.sessionId || !head) return undefined;
      const conversation = newest.sessionId;
      const throughRound = Math.max(...turns.map(({ foldThroughRound }) => foldThroughRound));
      const place = { conversation, head: { id: head.id, round: head.round }, throughRound };
      const folded =
        throughRound > 0
          ? await foldNotes(tables, owner, place, { maxTokens: notesTokens, count })
          : undefined;
      return {
        conversation,
        notes: folded?.notes ?? (await readNotes(tables, owner, conversation)),
        folded: folded?.messages ?? [],
      };
    },

    afterwards(owner, remembered, notesTokens) {
      if (!remembered) return;
      void search.embedNew(owner.tenant);
      if (remembered.folded.length > 0) void refine(owner, remembered, notesTokens).catch(onError);
    },

    async forgetSession(tables, { user }, conversation) {
      await tables.delete(chunks).where(ofConversation(user, conversation));
      await tables.delete(notes).where(and(eq(notes.user, user), eq(notes.conversation, conversation)));
    },

    async forgetTurn(tables, owner, { conversation, turnId }) {
      await tables
        .delete(chunks)
        .where(and(ofConversation(owner.user, conversation), eq(chunks.turn, turnId)));
      const known = await readNotes(tables, owner, conversation);
      if (known) await writeNotes(tables, owner, conversation, withoutTurn(known, turnId));
    },
  };
}

function ofConversation(user: string, conversation: string): SQL | undefined {
  return and(eq(chunks.user, user), eq(chunks.kind, 'message'), eq(chunks.source, conversation));
}

function toChunks({ tenant, user }: Owner, turn: ArchivedTurn, said: ArchivedMessage): NewChunk[] {
  const { id, message, round, createdAtMs } = said;
  const isSaid = message.role === 'user' || message.role === 'assistant';
  if (turn.sessionId === null || !isSaid) return [];
  const source = turn.sessionId;
  // PostgreSQL's texts hold no U+0000.
  const text = messageText(message).replaceAll('\0', ' ');
  return piecesOf(text, PIECE_CHARS)
    .slice(0, MAX_PIECES)
    .map((piece, ordinal) => ({
      tenant,
      user,
      kind: 'message',
      source,
      part: id,
      ordinal,
      turn: turn.turnId,
      round,
      role: message.role,
      heading: '',
      text: piece,
      isShared: false,
      createdAtMs,
    }));
}
