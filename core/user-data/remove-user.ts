/** Removes everything that the core keeps of a user, and says how much of what there was. */
import { and, eq, inArray } from 'drizzle-orm';
import type { Database, Tables } from '../db/database.ts';
import type { Owner } from '../db/owner.ts';
import {
  batches,
  batchLines,
  chunks,
  conversations,
  documents,
  feedback,
  fileParts,
  files,
  messages,
  notes,
  preferences,
  usage,
} from '../db/schema.ts';
import { type GenerationLog, generationPrefix } from '../generations/generation-log.ts';
import type { Preferences } from '../memory/preferences.ts';

/** How many of what were removed. */
export type Removed = Record<string, number>;

export type RemoveUser = (owner: Owner) => Promise<Removed>;

export interface RemoveUserOptions {
  database: Database;
  generationLog: Pick<GenerationLog, 'removeAll'>;
  preferences: Pick<Preferences, 'forget'>;
}

export function createRemoveUser({
  database,
  generationLog,
  preferences: kept,
}: RemoveUserOptions): RemoveUser {
  return async function removeUser(owner) {
    // What still runs would only write what is removed here.
    const generations = await generationLog.removeAll(generationPrefix(owner));
    const removed = await database.withTenant(owner.tenant, (tables) => removeRows(tables, owner));
    kept.forget(owner);
    return { generations, ...removed };
  };
}

async function removeRows(tables: Tables, { user }: Owner): Promise<Removed> {
  const removed: Removed = {};
  const ownBatches = tables.select({ id: batches.id }).from(batches).where(eq(batches.user, user));
  const ownFiles = tables.select({ id: files.id }).from(files).where(eq(files.user, user));
  const lines = await tables
    .delete(batchLines)
    .where(inArray(batchLines.batch, ownBatches))
    .returning({ at: batchLines.ordinal });
  removed.batch_lines = lines.length;
  await tables.delete(fileParts).where(inArray(fileParts.file, ownFiles));
  for (const [name, table] of Object.entries({
    batches,
    files,
    messages,
    conversations,
    notes,
    usage,
    feedback,
    documents,
    preferences,
  })) {
    const rows = await tables.delete(table).where(eq(table.user, user)).returning({ user: table.user });
    removed[name] = rows.length;
  }
  for (const kind of ['message', 'document', 'staged'] as const) {
    const rows = await tables
      .delete(chunks)
      .where(and(eq(chunks.user, user), eq(chunks.kind, kind)))
      .returning({ id: chunks.id });
    const name = kind === 'message' ? 'message_pieces' : 'passages';
    removed[name] = (removed[name] ?? 0) + rows.length;
  }
  return removed;
}
