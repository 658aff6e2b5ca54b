/**
 * Documents, in passages that can be found and cited. Owns the table `document`; the passages are chunks. A document that comes
 * again under its name takes the place of the one before: what has not changed in it keeps its place in the index.
 */
import { and, count, desc, eq, inArray, lt, or, type SQL, sql } from 'drizzle-orm';
import { AppError } from '../../shared/errors.ts';
import { sha256Hex } from '../../shared/hash.ts';
import type { Database, Tables } from '../db/database.ts';
import type { Owner, Page } from '../db/owner.ts';
import { chunks, documents } from '../db/schema.ts';
import { builtInEmbedder } from '../search/built-in-embedder.ts';
import type { Search } from '../search/search.ts';
import type { DocumentReader } from './document-reader.ts';
import type { DocumentType } from './parse/media-types.ts';
import { changedMeanwhile, passagesOf, placePassages, stagePassages } from './write-passages.ts';

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
  reader: DocumentReader;
  now: () => number;
  newId: () => string;
}

const MAX_DOCUMENTS = 2000;
const MAX_TITLE_CHARS = 300;

// long: the methods of one store; each is short
export function createDocuments({ database, search, reader, now, newId }: DocumentsOptions): Documents {
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
      const withVectors = await search.keepsBuiltInVectors();
      const { title, passages } = await reader.read(owner.tenant, { bytes, type, withVectors });
      const row: DocumentRow = {
        id: known.named?.id ?? `doc_${newId().replaceAll('-', '')}`,
        ...owner,
        name,
        title: (title ?? name).slice(0, MAX_TITLE_CHARS),
        mediaType: type,
        hash,
        bytes: bytes.length,
        passages: passages.length,
        isShared,
        createdAtMs: known.named?.createdAtMs ?? now(),
        updatedAtMs: now(),
      };
      const embedder = withVectors ? builtInEmbedder.name : undefined;
      const staged = await stagePassages({ database, embedder, row, passages });
      await database.withTenant(owner.tenant, async (tables) => {
        const { named } = await findSame(tables, owner, name, hash);
        if (named?.id !== known.named?.id) throw changedMeanwhile();
        await tables.insert(documents).values(row).onConflictDoUpdate({ target: documents.id, set: row });
        await placePassages(tables, row, staged);
      });
      if (!withVectors) await search.embedNew(owner.tenant);
      return { document: row, outcome: known.named ? 'updated' : 'created' };
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
