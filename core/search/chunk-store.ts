/** Pieces of text that can be found, by their words and by their vectors. Owns the tables `chunk` and `chunk_vector`. */
import { and, desc, eq, isNull, type SQL, sql } from 'drizzle-orm';
import type { Tables } from '../db/database.ts';
import { chunks } from '../db/schema.ts';
import { termsOf } from '../text/words.ts';

export type Chunk = Omit<typeof chunks.$inferSelect, 'terms'>;
export type NewChunk = Omit<typeof chunks.$inferInsert, 'terms' | 'id' | 'embedder'> & {
  /** Found here where they are not given. */
  terms?: readonly string[];
};

/** Rows of one statement. */
const AT_ONCE = 200;

const columns = {
  id: chunks.id,
  tenant: chunks.tenant,
  user: chunks.user,
  kind: chunks.kind,
  source: chunks.source,
  part: chunks.part,
  ordinal: chunks.ordinal,
  turn: chunks.turn,
  round: chunks.round,
  role: chunks.role,
  heading: chunks.heading,
  text: chunks.text,
  isShared: chunks.isShared,
  createdAtMs: chunks.createdAtMs,
  embedder: chunks.embedder,
};

/** Existing chunks are left unchanged. @returns the ids of the new ones, in order */
export async function insertChunks(tables: Tables, added: readonly NewChunk[]): Promise<number[]> {
  const ids: number[] = [];
  for (let start = 0; start < added.length; start += AT_ONCE) {
    const rows = await tables
      .insert(chunks)
      .values(
        added.slice(start, start + AT_ONCE).map(({ terms, ...chunk }) => ({
          ...chunk,
          // Exact terms, past PostgreSQL's own parser: what that takes for a word depends on the server's locale.
          terms: sql`array_to_tsvector(${sql.param(terms ?? termsOf(`${chunk.heading} ${chunk.text}`))}::text[])`,
        })),
      )
      .onConflictDoNothing()
      .returning({ id: chunks.id });
    ids.push(...rows.map(({ id }) => id));
  }
  return ids;
}

/** @returns the chunks that hold a term of the text, those with the most of them first */
export function findByWords(tables: Tables, text: string, where: SQL, limit: number): Promise<Chunk[]> {
  const terms = termsOf(text).slice(0, MAX_QUERY_TERMS);
  if (terms.length === 0) return Promise.resolve([]);
  const query = sql`${terms.map(quoteLexeme).join(' | ')}::tsquery`;
  return tables
    .select(columns)
    .from(chunks)
    .where(and(where, sql`${chunks.terms} @@ ${query}`))
    .orderBy(desc(sql`ts_rank(${chunks.terms}, ${query})`), desc(chunks.id))
    .limit(limit);
}

const MAX_QUERY_TERMS = 200;

export interface VectorQuery {
  embedder: string;
  vector: readonly number[];
  minCosine: number;
  limit: number;
}

/** @returns the chunks whose vectors are nearest */
export async function findByVector(tables: Tables, where: SQL, query: VectorQuery): Promise<Chunk[]> {
  const wanted = sql`${toLiteral(query.vector)}::vector`;
  const distance = sql`chunk_vector.embedding <=> ${wanted}`;
  // Enough candidates that the conditions leave some of them (pgvector's `hnsw.ef_search`).
  await tables.execute(sql.raw(`SET LOCAL hnsw.ef_search = ${EF_SEARCH}`));
  return tables
    .select(columns)
    .from(chunks)
    .innerJoin(sql`chunk_vector`, sql`chunk_vector.chunk = ${chunks.id}`)
    .where(and(where, eq(chunks.embedder, query.embedder), sql`${distance} <= ${1 - query.minCosine}`))
    .orderBy(distance)
    .limit(query.limit);
}

const EF_SEARCH = 400;

/** Chunks whose vectors are still to be made. */
export async function withoutVector(tables: Tables, limit: number): Promise<Chunk[]> {
  return tables.select(columns).from(chunks).where(isNull(chunks.embedder)).orderBy(chunks.id).limit(limit);
}

export async function keepVectors(
  tables: Tables,
  tenant: string,
  { embedder, vectors }: { embedder: string; vectors: readonly { id: number; vector: readonly number[] }[] },
): Promise<void> {
  for (const { id, vector } of vectors) {
    const marked = await tables
      .update(chunks)
      .set({ embedder })
      .where(eq(chunks.id, id))
      .returning({ id: chunks.id });
    // It may have been removed while its vector was made.
    if (marked.length === 0) continue;
    await tables.execute(
      sql`INSERT INTO chunk_vector (chunk, tenant, embedding) VALUES (${id}, ${tenant}, ${toLiteral(vector)}::vector)
          ON CONFLICT (chunk) DO UPDATE SET embedding = EXCLUDED.embedding`,
    );
  }
}

function toLiteral(vector: readonly number[]): string {
  return `[${vector.join(',')}]`;
}

function quoteLexeme(term: string): string {
  return `'${term.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
