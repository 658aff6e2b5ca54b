/** The tables of the durable data. A change here goes with a migration: `npx drizzle-kit generate --dialect postgresql --schema core/db/schema.ts --out core/db/migrations`. */
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import type { BatchFault } from '../../shared/protocol/batch-protocol.ts';

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

/** A user's conversation, by the id that the client gave it. */
export const conversations = pgTable(
  'conversation',
  {
    tenant: text().notNull(),
    user: text().notNull(),
    id: text().notNull(),
    /** Its system prompt, JSON: text, since `jsonb` refuses U+0000. */
    system: text().notNull(),
    /** What its owner calls it. */
    title: text(),
    createdAtMs: timeMs('created_at_ms').notNull(),
    updatedAtMs: timeMs('updated_at_ms').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.user, table.id] }),
    index('conversation_by_update').on(table.tenant, table.user, table.updatedAtMs),
  ],
);

/** Messages of all branches; each follows its parent. */
export const messages = pgTable(
  'message',
  {
    tenant: text().notNull(),
    user: text().notNull(),
    conversation: text().notNull(),
    id: text().notNull(),
    parent: text(),
    turn: text().notNull(),
    round: integer().notNull(),
    position: integer().notNull(),
    createdAtMs: timeMs('created_at_ms').notNull(),
    /** JSON, as text for the same reason. */
    body: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.user, table.conversation, table.id] }),
    index('message_by_time').on(table.tenant, table.user, table.conversation, table.createdAtMs),
    index('message_by_round').on(table.tenant, table.user, table.conversation, table.round),
  ],
);

/** What each turn came to. */
export const usage = pgTable(
  'usage',
  {
    tenant: text().notNull(),
    user: text().notNull(),
    turn: text().notNull(),
    conversation: text(),
    status: text().notNull(),
    model: text().notNull(),
    place: text(),
    cache: text(),
    error: text(),
    inputTokens: integer('input_tokens').notNull(),
    outputTokens: integer('output_tokens').notNull(),
    cachedInputTokens: integer('cached_input_tokens').notNull(),
    isEstimated: boolean('is_estimated').notNull(),
    /** Millionths of a US dollar, by the price of the day; null: the model has none. */
    micros: bigint({ mode: 'number' }),
    startedAtMs: timeMs('started_at_ms').notNull(),
    endedAtMs: timeMs('ended_at_ms').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.user, table.turn] }),
    index('usage_by_time').on(table.tenant, table.startedAtMs),
    index('usage_by_user').on(table.tenant, table.user, table.startedAtMs),
  ],
);

/** What users think of an answer; one word of each user on each turn. */
export const feedback = pgTable(
  'feedback',
  {
    tenant: text().notNull(),
    user: text().notNull(),
    turn: text().notNull(),
    rating: text({ enum: ['up', 'down'] }).notNull(),
    text: text(),
    atMs: timeMs('at_ms').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.user, table.turn] })],
);

/** The rolling summary of a conversation. */
export const notes = pgTable(
  'note',
  {
    tenant: text().notNull(),
    user: text().notNull(),
    conversation: text().notNull(),
    throughMessage: text('through_message').notNull(),
    throughRound: integer('through_round').notNull(),
    /** JSON, as text for the same reason. */
    lines: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.user, table.conversation] })],
);

/** What a user has chosen. */
export const preferences = pgTable(
  'preference',
  {
    tenant: text().notNull(),
    user: text().notNull(),
    /** Whether one conversation may be reminded of what was said in another. */
    recallAcross: boolean('recall_across').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.user] })],
);

export const documents = pgTable(
  'document',
  {
    id: text().primaryKey(),
    tenant: text().notNull(),
    user: text().notNull(),
    /** By which it is replaced when it comes again. */
    name: text().notNull(),
    title: text().notNull(),
    mediaType: text('media_type').notNull(),
    /** SHA-256 of its bytes, in hex. */
    hash: text().notNull(),
    bytes: integer().notNull(),
    passages: integer().notNull(),
    /** Whether every user of the tenant may read it. */
    isShared: boolean('is_shared').notNull(),
    createdAtMs: timeMs('created_at_ms').notNull(),
    updatedAtMs: timeMs('updated_at_ms').notNull(),
  },
  (table) => [
    uniqueIndex('document_by_name').on(table.tenant, table.user, table.name),
    index('document_by_hash').on(table.tenant, table.user, table.hash),
  ],
);

const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' });

/** What can be found: passages of documents and pieces of messages. Their vectors are in `chunk_vector`, where there is pgvector. */
export const chunks = pgTable(
  'chunk',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    tenant: text().notNull(),
    user: text().notNull(),
    /** `staged`: passages of a document that is still being written, which nothing finds yet. */
    kind: text({ enum: ['message', 'document', 'staged'] }).notNull(),
    /** The conversation's or the document's id. */
    source: text().notNull(),
    /** The message's id; for a document the place of the passage, from 1. */
    part: text().notNull(),
    /** The place of the piece in its message, from 0. */
    ordinal: integer().notNull(),
    turn: text(),
    round: integer().notNull(),
    role: text(),
    /** The headings that lead to it. */
    heading: text().notNull(),
    text: text().notNull(),
    isShared: boolean('is_shared').notNull(),
    createdAtMs: timeMs('created_at_ms').notNull(),
    terms: tsvector().notNull(),
    /** Which embedder made its vector; null: none has yet. */
    embedder: text(),
  },
  (table) => [
    uniqueIndex('chunk_by_place').on(
      table.tenant,
      table.user,
      table.kind,
      table.source,
      table.part,
      table.ordinal,
    ),
    index('chunk_by_term').using('gin', table.terms),
    index('chunk_without_vector').on(table.tenant, table.id).where(sql`embedder IS NULL`),
  ],
);
