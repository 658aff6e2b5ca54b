/** The tables of the durable data. A change here goes with a migration: `npx drizzle-kit generate --dialect postgresql --schema core/db/schema.ts --out core/db/migrations`. */
import { bigint, index, pgTable, text } from 'drizzle-orm/pg-core';

/** Unix times in milliseconds, which JavaScript holds exactly. */
const timeMs = (name: string) => bigint(name, { mode: 'number' });

/** API keys: what is kept is a hash, so that nobody who reads the table can call. */
export const apiKeys = pgTable(
  'api_key',
  {
    id: text().primaryKey(),
    tenant: text().notNull(),
    /** SHA-256 of the key, in hex. */
    hash: text().notNull().unique(),
    /** The first characters, by which its owner knows it. */
    prefix: text().notNull(),
    name: text().notNull(),
    plan: text().notNull(),
    scopes: text().array().notNull(),
    createdAtMs: timeMs('created_at_ms').notNull(),
    expiresAtMs: timeMs('expires_at_ms'),
    revokedAtMs: timeMs('revoked_at_ms'),
    lastUsedAtMs: timeMs('last_used_at_ms'),
  },
  (table) => [index('api_key_by_tenant').on(table.tenant, table.createdAtMs)],
);
