/**
 * Conversations kept for good: every finished turn once, however often it is sent. Owns the tables `conversation`,
 * `message` and `usage`; who reads usage is `core/usage`.
 */
import { and, desc, eq, sql } from 'drizzle-orm';
import { AppError } from '../../shared/errors.ts';
import type { Usage } from '../../shared/model/chat-model.ts';
import {
  type ArchivedSession,
  type ArchivedTurn,
  type ArchiveRequest,
  MAX_RESTORED_MESSAGES,
} from '../../shared/protocol/archive-protocol.ts';
import { type ConversationNotes, forgotten } from '../../shared/protocol/memory-protocol.ts';
import type { Database, Tables } from '../db/database.ts';
import { toArchivedMessage, toMessageRow } from '../db/message-rows.ts';
import type { Owner } from '../db/owner.ts';
import { conversations, feedback, messages, usage } from '../db/schema.ts';
import type { Memory } from '../memory/memory.ts';
import { readNotes } from '../memory/notes.ts';

export interface Archive {
  /**
   * Idempotent by the turns' ids.
   * @returns the notes of the conversation that they belong to
   */
  keep(owner: Owner, request: ArchiveRequest): Promise<ConversationNotes | undefined>;
  /** The newest messages of a session. @throws AppError `session_not_found` */
  session(owner: Owner, id: string): Promise<ArchivedSession>;
  /** Its words; what its turns used stays counted, without them. */
  removeSession(owner: Owner, id: string): Promise<void>;
  /** The words of one turn: its messages stay in their places, empty. What it used stays counted. */
  removeTurn(owner: Owner, turn: { conversation: string; turnId: string }): Promise<void>;
}

export interface ArchiveOptions {
  database: Database;
  memory: Memory;
  /** What a turn cost, in millionths of a US dollar; `undefined` when the model has no price. */
  costOf: (model: string, usage: Usage) => number | undefined;
}

// long: the methods of one store over one transaction each
export function createArchive({ database, memory, costOf }: ArchiveOptions): Archive {
  function toUsageRow({ tenant, user }: Owner, turn: ArchivedTurn): typeof usage.$inferInsert {
    const used = turn.usage && inColumns(turn.usage);
    return {
      tenant,
      user,
      turn: turn.turnId,
      conversation: turn.sessionId,
      status: turn.status,
      model: turn.model,
      place: turn.place,
      cache: turn.cache,
      error: turn.error,
      inputTokens: used?.inputTokens ?? 0,
      outputTokens: used?.outputTokens ?? 0,
      cachedInputTokens: used?.cachedInputTokens ?? 0,
      isEstimated: used?.estimated ?? false,
      // What the cache answered was paid for when it was asked.
      micros: (isAnsweredAgain(turn) ? 0 : used && costOf(turn.model, used)) ?? null,
      startedAtMs: turn.startedAtMs,
      endedAtMs: turn.endedAtMs,
    };
  }

  return {
    async keep(owner, { turns, notesTokens }) {
      if (turns.length === 0) return undefined;
      const kept = await database.withTenant(owner.tenant, async (tables) => {
        await tables
          .insert(usage)
          .values(turns.map((turn) => toUsageRow(owner, turn)))
          .onConflictDoNothing();
        for (const turn of turns) await keepMessages(tables, owner, turn);
        return memory.remember(tables, owner, { turns, notesTokens });
      });
      memory.afterwards(owner, kept, notesTokens);
      return kept?.notes;
    },

    session: ({ tenant, user }, id) =>
      database.withTenant(tenant, async (tables) => {
        const [found] = await tables
          .select()
          .from(conversations)
          .where(and(eq(conversations.user, user), eq(conversations.id, id)));
        if (!found) throw new AppError('session_not_found');
        const rows = await tables
          .select()
          .from(messages)
          .where(and(eq(messages.user, user), eq(messages.conversation, id)))
          .orderBy(desc(messages.createdAtMs), desc(messages.position))
          .limit(MAX_RESTORED_MESSAGES);
        return {
          system: JSON.parse(found.system),
          messages: rows.reverse().map(toArchivedMessage),
          notes: (await readNotes(tables, { tenant, user }, id)) ?? null,
        };
      }),

    removeSession: ({ tenant, user }, id) =>
      database.withTenant(tenant, async (tables) => {
        await memory.forgetSession(tables, { tenant, user }, id);
        await tables.delete(messages).where(and(eq(messages.user, user), eq(messages.conversation, id)));
        await tables.delete(conversations).where(and(eq(conversations.user, user), eq(conversations.id, id)));
      }),

    removeTurn: (owner, { conversation, turnId }) =>
      database.withTenant(owner.tenant, async (tables) => {
        await memory.forgetTurn(tables, owner, { conversation, turnId });
        const ofTurn = and(
          eq(messages.user, owner.user),
          eq(messages.conversation, conversation),
          eq(messages.turn, turnId),
        );
        for (const row of await tables.select().from(messages).where(ofTurn)) {
          const message = forgotten(toArchivedMessage(row).message);
          await tables
            .update(messages)
            .set({ body: JSON.stringify(message) })
            .where(and(ofTurn, eq(messages.id, row.id)));
        }
        await tables.delete(feedback).where(and(eq(feedback.user, owner.user), eq(feedback.turn, turnId)));
      }),
  };
}

async function keepMessages(
  tables: Tables,
  owner: Owner,
  { sessionId, messages: said, system, startedAtMs, endedAtMs }: ArchivedTurn,
): Promise<void> {
  if (sessionId === null || said.length === 0) return;
  await tables
    .insert(conversations)
    .values({
      ...owner,
      id: sessionId,
      system: JSON.stringify(system ?? []),
      createdAtMs: startedAtMs,
      updatedAtMs: endedAtMs,
    })
    .onConflictDoUpdate({
      target: [conversations.tenant, conversations.user, conversations.id],
      set: {
        updatedAtMs: sql`greatest(${conversations.updatedAtMs}, ${endedAtMs})`,
        ...(system && { system: JSON.stringify(system) }),
      },
    });
  await tables
    .insert(messages)
    .values(said.map((message) => toMessageRow(owner, sessionId, message)))
    .onConflictDoNothing();
}

const MAX_INTEGER = 2 ** 31 - 1;

/** As the columns hold it: one row that does not fit would hold back its whole session. */
function inColumns({ inputTokens, outputTokens, cachedInputTokens, estimated }: Usage): Usage {
  return {
    inputTokens: toColumn(inputTokens),
    outputTokens: toColumn(outputTokens),
    cachedInputTokens: toColumn(cachedInputTokens),
    estimated,
  };
}

function toColumn(tokens = 0): number {
  return Number.isFinite(tokens) ? Math.min(MAX_INTEGER, Math.max(0, Math.round(tokens))) : 0;
}

function isAnsweredAgain({ cache }: ArchivedTurn): boolean {
  return cache === 'hit' || cache === 'semantic' || cache === 'coalesced';
}
