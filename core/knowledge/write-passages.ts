/**
 * Writes a document's passages in short transactions, so that a large document never holds the database, or this process, for
 * longer than a slice. Passages wait as `staged`, which nothing finds, until one last transaction puts them in place.
 */
import { setImmediate as nextTick } from 'node:timers/promises';
import { and, asc, eq, inArray, like, lt, ne, or, type SQL, sql } from 'drizzle-orm';
import { AppError } from '../../shared/errors.ts';
import type { Database, Tables } from '../db/database.ts';
import { chunks, type documents } from '../db/schema.ts';
import { insertChunks, keepVectors } from '../search/chunk-store.ts';
import type { Passage } from './document-process.ts';

type DocumentRow = typeof documents.$inferSelect;

/** What is found for a document, before its row says so. */
export interface StagedPassages {
  source: string;
  count: number;
  /** Passages that the document had before and still has: their row, and so their vector, stays. */
  kept: readonly { chunk: number; part: string; isMoved: boolean }[];
  gone: readonly number[];
}

export interface StageOptions {
  database: Database;
  /** The embedder that made the passages' vectors; none where they have none. */
  embedder: string | undefined;
  row: DocumentRow;
  passages: readonly Passage[];
}

/** Passages of one transaction: with their vectors some 30 ms of the embedded database's time. */
const SLICE = 8;
/** Staged passages that are older were left by a process that died. */
const ABANDONED_MS = 3_600_000;

export async function stagePassages({
  database,
  embedder,
  row,
  passages,
}: StageOptions): Promise<StagedPassages> {
  const { id, tenant, user, isShared, updatedAtMs } = row;
  const source = `${id}:${crypto.randomUUID()}`;
  const before = await database.withTenant(tenant, async (tables) => {
    const isAbandoned = or(
      like(chunks.source, `${id}:%`),
      lt(chunks.createdAtMs, updatedAtMs - ABANDONED_MS),
    );
    await tables.delete(chunks).where(and(eq(chunks.kind, 'staged'), eq(chunks.user, user), isAbandoned));
    return tables
      .select({ id: chunks.id, part: chunks.part, heading: chunks.heading, text: chunks.text })
      .from(chunks)
      .where(passagesOf(id))
      .orderBy(asc(chunks.id));
  });
  const known = new Map(before.map((chunk) => [`${chunk.heading}\n${chunk.text}`, chunk]));
  const placed = passages.map((passage, index) => ({
    passage,
    part: String(index + 1),
    chunk: known.get(`${passage.heading}\n${passage.text}`),
  }));
  const staying = new Set(placed.map(({ chunk }) => chunk?.id));
  const added = placed.filter(({ chunk }) => chunk === undefined);
  for (let start = 0; start < added.length; start += SLICE) {
    const slice = added.slice(start, start + SLICE);
    const rows = slice.map(({ passage: { heading, text, terms }, part }) => ({
      ...{
        tenant,
        user,
        kind: 'staged' as const,
        source,
        part,
        ordinal: 0,
        turn: null,
        round: 0,
        role: null,
      },
      ...{ heading, text, terms, isShared, createdAtMs: updatedAtMs },
    }));
    await database.withTenant(tenant, async (tables) => {
      const ids = await insertChunks(tables, rows);
      if (embedder === undefined) return;
      const vectors = ids.map((chunk, index) => ({
        id: chunk,
        vector: [...(slice[index]?.passage.vector ?? [])],
      }));
      await keepVectors(tables, tenant, { embedder, vectors });
    });
    // The embedded database works in this thread: streams go on between two slices.
    await nextTick();
  }
  return {
    source,
    count: added.length,
    kept: placed.flatMap(({ chunk, part }) =>
      chunk ? [{ chunk: chunk.id, part, isMoved: chunk.part !== part }] : [],
    ),
    gone: before.flatMap((chunk) => (staying.has(chunk.id) ? [] : [chunk.id])),
  };
}

/** @throws AppError `database_unavailable` when another upload changed the document meanwhile */
export async function placePassages(
  tables: Tables,
  { id, user, isShared }: DocumentRow,
  { source, count, kept, gone }: StagedPassages,
): Promise<void> {
  if (gone.length > 0) await tables.delete(chunks).where(inArray(chunks.id, [...gone]));
  const moved = kept.filter(({ isMoved }) => isMoved);
  // Out of each other's way first, since no two may have one place at any time.
  if (moved.length > 0)
    await tables
      .update(chunks)
      .set({ part: sql`'-' || ${chunks.part}` })
      .where(
        inArray(
          chunks.id,
          moved.map(({ chunk }) => chunk),
        ),
      );
  for (const { chunk, part } of moved) await tables.update(chunks).set({ part }).where(eq(chunks.id, chunk));
  await tables
    .update(chunks)
    .set({ isShared })
    .where(and(passagesOf(id), ne(chunks.isShared, isShared)));
  await tables
    .update(chunks)
    .set({ kind: 'document', source: id, isShared })
    .where(and(eq(chunks.kind, 'staged'), eq(chunks.user, user), eq(chunks.source, source)));
  const there = await tables.$count(chunks, passagesOf(id));
  if (there !== kept.length + count) throw changedMeanwhile();
}

export function passagesOf(id: string): SQL | undefined {
  return and(eq(chunks.kind, 'document'), eq(chunks.source, id));
}

export function changedMeanwhile(): AppError {
  return new AppError('database_unavailable', { message: 'The document was changed meanwhile. Try again.' });
}
