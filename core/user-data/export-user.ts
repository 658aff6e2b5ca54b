/** Everything that the core keeps of a user, a line of JSON each. */
import { and, asc, eq, gt, type SQL } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Database } from '../db/database.ts';
import type { Owner } from '../db/owner.ts';
import {
  batches,
  batchLines,
  chunks,
  conversations,
  documents,
  feedback,
  files,
  messages,
  notes,
  preferences,
  usage,
} from '../db/schema.ts';

export type ExportUser = (owner: Owner) => AsyncGenerator<string, void, void>;

/** Rows read at once, so that an export takes no memory to speak of. */
const AT_ONCE = 500;

interface ExportedTable {
  type: string;
  table: PgTable;
  /** In whose order the table is read; unique among a user's rows. */
  order: PgColumn[];
  where: (user: string) => SQL | undefined;
}

const tables: readonly ExportedTable[] = [
  exported('preference', preferences, [preferences.user]),
  exported('conversation', conversations, [conversations.id]),
  exported('message', messages, [messages.conversation, messages.id]),
  exported('note', notes, [notes.conversation]),
  exported('usage', usage, [usage.turn]),
  exported('feedback', feedback, [feedback.turn]),
  exported('document', documents, [documents.id]),
  {
    ...exported('passage', chunks, [chunks.id]),
    where: (user) => and(eq(chunks.user, user), eq(chunks.kind, 'document')),
  },
  exported('file', files, [files.id]),
  exported('batch', batches, [batches.id]),
];

/** Fields that are JSON, as text. */
const jsonFields: ReadonlySet<string> = new Set(['body', 'system', 'lines', 'answer']);
/** Fields that are the index's, not the user's. */
const hiddenFields: ReadonlySet<string> = new Set(['tenant', 'user', 'terms', 'embedder', 'leaseUntilMs']);

export function createExportUser(database: Database): ExportUser {
  return async function* exportUser({ tenant, user }) {
    for (const { type, table, order, where } of tables) {
      for (let offset = 0; ; offset += AT_ONCE) {
        const rows = await database.withTenant(tenant, (inner) =>
          inner
            .select()
            .from(table)
            .where(where(user))
            .orderBy(...order.map((column) => asc(column)))
            .limit(AT_ONCE)
            .offset(offset),
        );
        yield rows.map((row) => toLine(type, row)).join('');
        if (type === 'batch') for (const row of rows) yield* batchLinesOf(tenant, String(row.id));
        if (rows.length < AT_ONCE) break;
      }
    }
  };

  async function* batchLinesOf(tenant: string, batch: string): AsyncGenerator<string, void, void> {
    for (let after = -1; ; ) {
      const rows = await database.withTenant(tenant, (inner) =>
        inner
          .select()
          .from(batchLines)
          .where(and(eq(batchLines.batch, batch), gt(batchLines.ordinal, after)))
          .orderBy(asc(batchLines.ordinal))
          .limit(AT_ONCE),
      );
      yield rows.map((row) => toLine('batch_line', row)).join('');
      after = rows.at(-1)?.ordinal ?? after;
      if (rows.length < AT_ONCE) return;
    }
  }
}

function exported(type: string, table: PgTable & { user: PgColumn }, order: PgColumn[]): ExportedTable {
  return { type, table, order, where: (user) => eq(table.user, user) };
}

function toLine(type: string, row: Record<string, unknown>): string {
  const fields = Object.entries(row).flatMap(([name, value]): [string, unknown][] => {
    if (hiddenFields.has(name) || value === null) return [];
    const field = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return [[field, jsonFields.has(name) && typeof value === 'string' ? JSON.parse(value) : value]];
  });
  return `${JSON.stringify({ type, ...Object.fromEntries(fields) })}\n`;
}
