/**
 * The table of the vectors, which needs the extension pgvector. It is made where a server offers that, and comes with the next
 * `npm run migrate` after it does; without it what is remembered is found by its words alone.
 */
import { sql } from 'drizzle-orm';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { VECTOR_DIMENSIONS } from './vector-dimensions.ts';

type Tables = Pick<PgDatabase<PgQueryResultHKT>, 'execute'>;

/** Idempotent. */
export async function createVectorTable(tables: Tables): Promise<void> {
  await tables.execute(
    sql.raw(`DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'vector') THEN RETURN; END IF;
  CREATE EXTENSION IF NOT EXISTS vector;
  IF to_regclass('chunk_vector') IS NOT NULL THEN RETURN; END IF;
  CREATE TABLE chunk_vector (
    chunk bigint PRIMARY KEY REFERENCES chunk (id) ON DELETE CASCADE,
    tenant text NOT NULL,
    embedding vector(${VECTOR_DIMENSIONS}) NOT NULL);
  CREATE INDEX chunk_vector_nearest ON chunk_vector USING hnsw (embedding vector_cosine_ops);
  GRANT SELECT, INSERT, UPDATE, DELETE ON chunk_vector TO edgewise_app;
  ALTER TABLE chunk_vector ENABLE ROW LEVEL SECURITY;
  ALTER TABLE chunk_vector FORCE ROW LEVEL SECURITY;
  CREATE POLICY chunk_vector_of_tenant ON chunk_vector
    USING (tenant = current_setting('edgewise.tenant', true))
    WITH CHECK (tenant = current_setting('edgewise.tenant', true));
EXCEPTION WHEN insufficient_privilege THEN
  RAISE NOTICE 'The extension vector may not be created by this role: ask an administrator to do so.';
END $$`),
  );
}

export async function hasVectorTable(tables: Tables): Promise<boolean> {
  const result = await tables.execute(sql`SELECT to_regclass('chunk_vector') IS NOT NULL AS there`);
  return (result as unknown as { rows: { there: boolean }[] }).rows[0]?.there === true;
}
