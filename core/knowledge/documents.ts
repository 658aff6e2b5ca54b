/**
 * Documents, in passages that can be found and cited. Owns the table `document`; the passages are chunks. A document that comes
 * again under its name takes the place of the one before: what has not changed in it keeps its place in the index.
 */
import { and, asc, count, desc, eq, inArray, lt, or, type SQL, sql } from 'drizzle-orm';
import { AppError } from '../../shared/errors.ts';
import { sha256Hex } from '../../shared/hash.ts';
import type { Database, Tables } from '../db/database.ts';
import type { Owner, Page } from '../db/owner.ts';
import { chunks, documents } from '../db/schema.ts';
import { insertChunks } from '../search/chunk-store.ts';
import type { Search } from '../search/search.ts';
import { cutSections } from './cut-sections.ts';
import type { ParseFile } from './parse/create-parser.ts';
import type { DocumentType } from './parse/media-types.ts';
import type { Section } from './parse/section.ts';

export type DocumentRow = typeof documents.$inferSelect;

export interface NewDocument {
  name: string;
  type: DocumentType;
  bytes: Uint8Array;
  isShared: boolean;
}

export interface Ingested {
  document: DocumentRow;
  /** `unchanged`: the same bytes were there, under this name or another. */
  outcome: 'created' | 'updated' | 'unchanged';
}

export interface DocumentPassage {
  document: DocumentRow;
  heading: string;
  text: string;
}

export interface Documents {
  /** @throws AppError `document_unreadable`, `document_limit` */
  ingest(owner: Owner, added: NewDocument): Promise<Ingested>;
  /** One's own and the shared ones, newest first. */
  list(owner: Owner, page: Page): Promise<{ data: DocumentRow[]; hasMore: boolean }>;
  /** @throws AppError `document_not_found` */
  get(owner: Owner, id: string): Promise<DocumentRow>;
  /** @param number From 1. @throws AppError `document_not_found` */
  passage(owner: Owner, id: string, number: number): Promise<DocumentPassage>;
  /** @param mayShared Whether a shared document of somebody else's may go, too. @throws AppError `document_not_found` */
  remove(owner: Owner, id: string, mayShared: boolean): Promise<void>;
  titlesOf(owner: Owner, ids: readonly string[]): Promise<Map<string, string>>;
}

export interface DocumentsOptions {
  database: Database;
  search: Search;
  parse: ParseFile;
  now: () => number;
  newId: () => string;
}

const MAX_DOCUMENTS = 2000;
const MAX_PASSAGES = 10_000;
const MAX_TITLE_CHARS = 300;

// long: the methods of one store; each is short
export function createDocuments({ database, search, parse, now, newId }: DocumentsOptions): Documents {
  async function find(tables: Tables, { user }: Owner, id: string): Promise<DocumentRow> {
    const [row] = await tables
      .select()
      .from(documents)
      .where(and(eq(documents.id, id), readableBy(user)));
    if (!row) throw new AppError('document_not_found', { param: 'id' });
    return row;
  }

  async function findSame(tables: Tables, { user }: Owner, name: string, hash: string) {
    const rows = await tables
      .select()
      .from(documents)
      .where(and(eq(documents.user, user), or(eq(documents.name, name), eq(documents.hash, hash))));
    return {
      named: rows.find((row) => row.name === name),
      same: rows.find(
        (row) => row.hash === hash && (row.name === name || !rows.some((other) => other.name === name)),
      ),
    };
  }

  return {
    async ingest(owner, { name, type, bytes, isShared }) {
      const hash = await sha256Hex(bytes);
      const known = await database.withTenant(owner.tenant, async (tables) => {
        const found = await findSame(tables, owner, name, hash);
        const [{ held } = { held: 0 }] = await tables
          .select({ held: count() })
          .from(documents)
          .where(eq(documents.user, owner.user));
        if (!found.named && held >= MAX_DOCUMENTS) throw new AppError('document_limit');
        return found;
      });
      if (known.same && known.same.isShared === isShared)
        return { document: known.same, outcome: 'unchanged' };
      const { title, sections } = await parse(bytes, type);
      const passages = cutSections(sections.map(withoutNulls));
      checkPassages(passages);
      const document = await database.withTenant(owner.tenant, async (tables) => {
        const { named } = await findSame(tables, owner, name, hash);
        const row: DocumentRow = {
          id: named?.id ?? `doc_${newId().replaceAll('-', '')}`,
          ...owner,
          name,
          title: (title ?? name).replaceAll('\0', ' ').slice(0, MAX_TITLE_CHARS),
          mediaType: type,
          hash,
          bytes: bytes.length,
          passages: passages.length,
          isShared,
          createdAtMs: named?.createdAtMs ?? now(),
          updatedAtMs: now(),
        };
        await tables.insert(documents).values(row).onConflictDoUpdate({ target: documents.id, set: row });
        await replacePassages(tables, row, passages);
        return row;
      });
      await search.embedNew(owner.tenant);
      return { document, outcome: known.named ? 'updated' : 'created' };
    },

    list: (owner, { limit, after }) =>
      database.withTenant(owner.tenant, async (tables) => {
        const last = after === undefined ? undefined : await find(tables, owner, after);
        const isBefore =
          last &&
          lt(sql`(${documents.updatedAtMs}, ${documents.id})`, sql`(${last.updatedAtMs}, ${last.id})`);
        const rows = await tables
          .select()
          .from(documents)
          .where(and(readableBy(owner.user), isBefore))
          .orderBy(desc(documents.updatedAtMs), desc(documents.id))
          .limit(limit + 1);
        return { data: rows.slice(0, limit), hasMore: rows.length > limit };
      }),

    get: (owner, id) => database.withTenant(owner.tenant, (tables) => find(tables, owner, id)),

    passage: (owner, id, number) =>
      database.withTenant(owner.tenant, async (tables) => {
        const document = await find(tables, owner, id);
        const [row] = await tables
          .select({ heading: chunks.heading, text: chunks.text })
          .from(chunks)
          .where(and(passagesOf(id), eq(chunks.part, String(number))));
        if (!row) throw new AppError('document_not_found', { param: 'passage' });
        return { document, ...row };
      }),

    remove: (owner, id, mayShared) =>
      database.withTenant(owner.tenant, async (tables) => {
        const document = await find(tables, owner, id);
        if (document.user !== owner.user && !mayShared)
          throw new AppError('insufficient_scope', {
            message: "A shared document is removed with a token that has the scope 'admin'.",
          });
        await tables.delete(chunks).where(passagesOf(id));
        await tables.delete(documents).where(eq(documents.id, id));
      }),

    async titlesOf({ tenant }, ids) {
      if (ids.length === 0) return new Map();
      const rows = await database.withTenant(tenant, (tables) =>
        tables
          .select({ id: documents.id, title: documents.title })
          .from(documents)
          .where(inArray(documents.id, [...ids])),
      );
      return new Map(rows.map(({ id, title }) => [id, title]));
    },
  };
}

function readableBy(user: string): SQL | undefined {
  return or(eq(documents.user, user), eq(documents.isShared, true));
}

function passagesOf(id: string): SQL | undefined {
  return and(eq(chunks.kind, 'document'), eq(chunks.source, id));
}

function checkPassages(passages: readonly Section[]): void {
  const message =
    passages.length === 0
      ? 'The document holds no text.'
      : `The document comes to ${passages.length} passages; at most ${MAX_PASSAGES} are taken.`;
  if (passages.length === 0 || passages.length > MAX_PASSAGES)
    throw new AppError('document_unreadable', { param: 'file', message });
}

/** PostgreSQL's texts hold no U+0000. */
function withoutNulls({ heading, text }: Section): Section {
  return { heading: heading.replaceAll('\0', ' '), text: text.replaceAll('\0', ' ') };
}

/** Those that are the same keep their row, and so their vector. */
async function replacePassages(
  tables: Tables,
  { id, tenant, user, isShared, updatedAtMs }: DocumentRow,
  passages: readonly Section[],
): Promise<void> {
  const before = await tables
    .select({ id: chunks.id, heading: chunks.heading, text: chunks.text })
    .from(chunks)
    .where(passagesOf(id))
    .orderBy(asc(chunks.id));
  const kept = new Map(before.map((row) => [`${row.heading}\n${row.text}`, row.id]));
  const placed = passages.map(({ heading, text }, index) => ({
    heading,
    text,
    part: String(index + 1),
    chunk: kept.get(`${heading}\n${text}`),
  }));
  const staying = new Set(placed.map(({ chunk }) => chunk));
  const gone = before.flatMap((row) => (staying.has(row.id) ? [] : [row.id]));
  if (gone.length > 0) await tables.delete(chunks).where(inArray(chunks.id, gone));
  // Out of each other's way first, since no two may have one place at any time.
  await tables
    .update(chunks)
    .set({ part: sql`'-' || ${chunks.part}`, isShared, user })
    .where(passagesOf(id));
  for (const { chunk, part } of placed)
    if (chunk !== undefined) await tables.update(chunks).set({ part }).where(eq(chunks.id, chunk));
  const added = placed.filter(({ chunk }) => chunk === undefined);
  await insertChunks(
    tables,
    added.map(({ heading, text, part }) => ({
      tenant,
      user,
      kind: 'document',
      source: id,
      part,
      ordinal: 0,
      turn: null,
      round: 0,
      role: null,
      heading,
      text,
      isShared,
      createdAtMs: updatedAtMs,
    })),
  );
}
