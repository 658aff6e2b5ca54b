/** The tables of the durable data. A change here goes with a migration: `npx drizzle-kit generate --dialect postgresql --schema core/db/schema.ts --out core/db/migrations`. */
import { sql } from 'drizzle-orm';
import { bigint, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core';
import type { BatchFault } from '../../shared/batch-protocol.ts';

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

/** Files of lines, for batches. Those that a batch makes hold no lines of their own: they are read from its answers. */
export const files = pgTable(
  'file',
  {
    id: text().primaryKey(),
    tenant: text().notNull(),
    user: text().notNull(),
    filename: text().notNull(),
    purpose: text({ enum: ['batch', 'batch_output'] }).notNull(),
    bytes: integer().notNull(),
    createdAtMs: timeMs('created_at_ms').notNull(),
    /** The batch that it is the output of, and which of its answers it holds. */
    batch: text(),
    holds: text({ enum: ['done', 'failed'] }),
  },
  (table) => [index('file_by_user').on(table.tenant, table.user, table.createdAtMs)],
);

/** A file's text in pieces, so that no row is large. */
export const fileParts = pgTable(
  'file_part',
  {
    file: text().notNull(),
    ordinal: integer().notNull(),
    tenant: text().notNull(),
    content: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.file, table.ordinal] })],
);

export const batches = pgTable(
  'batch',
  {
    id: text().primaryKey(),
    tenant: text().notNull(),
    user: text().notNull(),
    plan: text().notNull(),
    endpoint: text().notNull(),
    inputFile: text('input_file').notNull(),
    outputFile: text('output_file'),
    errorFile: text('error_file'),
    window: text().notNull(),
    status: text({
      enum: [
        'validating',
        'failed',
        'in_progress',
        'finalizing',
        'completed',
        'expired',
        'cancelling',
        'cancelled',
      ],
    }).notNull(),
    faults: jsonb().$type<BatchFault[]>(),
    metadata: jsonb().$type<Record<string, string>>(),
    total: integer().notNull().default(0),
    done: integer().notNull().default(0),
    failed: integer().notNull().default(0),
    createdAtMs: timeMs('created_at_ms').notNull(),
    expiresAtMs: timeMs('expires_at_ms').notNull(),
    inProgressAtMs: timeMs('in_progress_at_ms'),
    finalizingAtMs: timeMs('finalizing_at_ms'),
    completedAtMs: timeMs('completed_at_ms'),
    failedAtMs: timeMs('failed_at_ms'),
    expiredAtMs: timeMs('expired_at_ms'),
    cancellingAtMs: timeMs('cancelling_at_ms'),
    cancelledAtMs: timeMs('cancelled_at_ms'),
  },
  (table) => [
    index('batch_by_user').on(table.tenant, table.user, table.createdAtMs),
    index('batch_at_work')
      .on(table.createdAtMs)
      .where(sql`status IN ('validating', 'in_progress', 'finalizing', 'cancelling')`),
  ],
);

/** One request of a batch, and its answer. */
export const batchLines = pgTable(
  'batch_line',
  {
    batch: text().notNull(),
    /** From 0, in the order of the file. */
    ordinal: integer().notNull(),
    tenant: text().notNull(),
    customId: text('custom_id').notNull(),
    /** JSON. */
    body: text().notNull(),
    state: text({ enum: ['waiting', 'done', 'failed'] }).notNull(),
    /** Somebody answers it until then. */
    leaseUntilMs: timeMs('lease_until_ms').notNull().default(0),
    attempts: integer().notNull().default(0),
    /** The line of the output, JSON. */
    answer: text(),
  },
  (table) => [
    primaryKey({ columns: [table.batch, table.ordinal] }),
    uniqueIndex('batch_line_by_custom_id').on(table.batch, table.customId),
    index('batch_line_waiting').on(table.batch, table.ordinal).where(sql`state = 'waiting'`),
  ],
);
