/**
 * Files of lines. Owns the tables `file` and `file_part`; a batch's output has no parts, its lines are the batch's answers,
 * so that a line can be there once and no more.
 */
import { and, asc, desc, eq, gt, isNotNull, lt, or } from 'drizzle-orm';
import { AppError } from '../../shared/errors.ts';
import type { FileObject } from '../../shared/protocol/batch-protocol.ts';
import type { Database, Tables } from '../db/database.ts';
import type { Owner, Page } from '../db/owner.ts';
import { batches, batchLines, fileParts, files } from '../db/schema.ts';

export interface Files {
  /** @param text JSON Lines */
  create(owner: Owner, file: { filename: string; text: string }): Promise<FileObject>;
  /** Newest first. */
  list(owner: Owner, page: Page): Promise<{ data: FileObject[]; hasMore: boolean }>;
  /** @throws AppError `file_not_found` */
  get(owner: Owner, id: string): Promise<FileObject>;
  /** The text, piece by piece. @throws AppError `file_not_found` */
  content(owner: Owner, id: string): Promise<AsyncGenerator<string, void, void>>;
  /** @throws AppError `file_not_found`, `file_in_use` */
  remove(owner: Owner, id: string): Promise<void>;
}

export type FileRow = typeof files.$inferSelect;

const PART_CHARS = 256 * 1024;
const PARTS_A_STATEMENT = 8;
const LINES_A_READ = 500;

export interface FilesOptions {
  database: Database;
  now: () => number;
  newId: () => string;
}

export function createFiles({ database, now, newId }: FilesOptions): Files {
  async function find(tables: Tables, { user }: Owner, id: string): Promise<FileRow> {
    const [row] = await tables
      .select()
      .from(files)
      .where(and(eq(files.id, id), eq(files.user, user)));
    if (!row) throw new AppError('file_not_found', { param: 'id' });
    return row;
  }

  return {
    create: ({ tenant, user }, { filename, text }) =>
      database.withTenant(tenant, async (tables) => {
        const row: FileRow = {
          id: newFileId(newId),
          tenant,
          user,
          filename,
          purpose: 'batch',
          bytes: Buffer.byteLength(text),
          createdAtMs: now(),
          batch: null,
          holds: null,
        };
        await tables.insert(files).values(row);
        const parts = toParts(text).map((content, ordinal) => ({ file: row.id, ordinal, tenant, content }));
        for (let at = 0; at < parts.length; at += PARTS_A_STATEMENT)
          await tables.insert(fileParts).values(parts.slice(at, at + PARTS_A_STATEMENT));
        return toFileObject(row);
      }),

    list: ({ tenant, user }, { limit, after }) =>
      database.withTenant(tenant, async (tables) => {
        const last = after === undefined ? undefined : await find(tables, { tenant, user }, after);
        const rows = await tables
          .select()
          .from(files)
          .where(
            and(
              eq(files.user, user),
              last &&
                or(
                  lt(files.createdAtMs, last.createdAtMs),
                  and(eq(files.createdAtMs, last.createdAtMs), lt(files.id, last.id)),
                ),
            ),
          )
          .orderBy(desc(files.createdAtMs), desc(files.id))
          .limit(limit + 1);
        return { data: rows.slice(0, limit).map(toFileObject), hasMore: rows.length > limit };
      }),

    get: (owner, id) =>
      database.withTenant(owner.tenant, async (tables) => toFileObject(await find(tables, owner, id))),

    async content(owner, id) {
      const row = await database.withTenant(owner.tenant, (tables) => find(tables, owner, id));
      return row.batch === null ? readParts(database, row) : readAnswers(database, row, row.batch);
    },

    remove: (owner, id) =>
      database.withTenant(owner.tenant, async (tables) => {
        await find(tables, owner, id);
        const [user] = await tables
          .select({ id: batches.id })
          .from(batches)
          .where(and(eq(batches.inputFile, id), eq(batches.status, 'validating')));
        if (user) throw new AppError('file_in_use', { param: 'id' });
        await tables.delete(fileParts).where(eq(fileParts.file, id));
        await tables.delete(files).where(eq(files.id, id));
      }),
  };
}

export function newFileId(newId: () => string): string {
  return `file-${newId().replaceAll('-', '')}`;
}

export function toFileObject({ id, bytes, createdAtMs, filename, purpose }: FileRow): FileObject {
  const created_at = Math.floor(createdAtMs / 1000);
  return { id, object: 'file', bytes, created_at, filename, purpose, status: 'processed' };
}

/** A file's lines, without the empty ones at its end. */
export async function readLines(database: Database, file: FileRow): Promise<string[]> {
  let text = '';
  for await (const part of readParts(database, file)) text += part;
  return text.replace(/\s+$/, '').split(/\r?\n/);
}

async function* readParts(database: Database, { id, tenant }: FileRow): AsyncGenerator<string, void, void> {
  for (let ordinal = -1; ; ordinal++) {
    const [part] = await database.withTenant(tenant, (tables) =>
      tables
        .select()
        .from(fileParts)
        .where(and(eq(fileParts.file, id), eq(fileParts.ordinal, ordinal + 1))),
    );
    if (!part) return;
    yield part.content;
  }
}

async function* readAnswers(
  database: Database,
  { tenant, holds }: FileRow,
  batch: string,
): AsyncGenerator<string, void, void> {
  for (let after = -1; ; ) {
    const last = after;
    const rows = await database.withTenant(tenant, (tables) =>
      tables
        .select({ ordinal: batchLines.ordinal, answer: batchLines.answer })
        .from(batchLines)
        .where(
          and(
            eq(batchLines.batch, batch),
            eq(batchLines.state, holds ?? 'done'),
            gt(batchLines.ordinal, last),
            isNotNull(batchLines.answer),
          ),
        )
        .orderBy(asc(batchLines.ordinal))
        .limit(LINES_A_READ),
    );
    if (rows.length === 0) return;
    yield rows.map(({ answer }) => `${answer}\n`).join('');
    after = rows.at(-1)?.ordinal ?? after;
  }
}

/** Pieces that end between two characters. PostgreSQL's text holds no U+0000, and neither does JSON. */
function toParts(text: string): string[] {
  const parts: string[] = [];
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + PART_CHARS, text.length);
    if (end < text.length && /[\ud800-\udbff]/.test(text.charAt(end - 1))) end--;
    parts.push(text.slice(start, end));
    start = end;
  }
  return parts;
}
