/** Batches as their owners see them: made, listed, cancelled. Owns the table `batch` together with `batch-work.ts`. */
import { and, desc, eq, inArray, lt, or } from 'drizzle-orm';
import { AppError } from '../../shared/errors.ts';
import type { BatchEndpoint, BatchObject } from '../../shared/protocol/batch-protocol.ts';
import type { Database, Tables } from '../db/database.ts';
import type { Owner, Page } from '../db/owner.ts';
import { batches, files } from '../db/schema.ts';

export interface WantedBatch {
  inputFile: string;
  endpoint: BatchEndpoint;
  window: string;
  windowMs: number;
  metadata: Record<string, string> | undefined;
  plan: string;
}

export interface Batches {
  /** @throws AppError `file_not_found` */
  create(owner: Owner, wanted: WantedBatch): Promise<BatchObject>;
  /** Newest first. */
  list(owner: Owner, page: Page): Promise<{ data: BatchObject[]; hasMore: boolean }>;
  /** @throws AppError `batch_not_found` */
  get(owner: Owner, id: string): Promise<BatchObject>;
  /** What runs is stopped, and what is done is kept. Idempotent. @throws AppError `batch_not_found` */
  cancel(owner: Owner, id: string): Promise<BatchObject>;
}

export type BatchRow = typeof batches.$inferSelect;

export interface BatchesOptions {
  database: Database;
  now: () => number;
  newId: () => string;
  /** There is something to do. */
  onWork: () => void;
}

export function createBatches({ database, now, newId, onWork }: BatchesOptions): Batches {
  async function find(tables: Tables, { user }: Owner, id: string): Promise<BatchRow> {
    const [row] = await tables
      .select()
      .from(batches)
      .where(and(eq(batches.id, id), eq(batches.user, user)));
    if (!row) throw new AppError('batch_not_found', { param: 'id' });
    return row;
  }

  return {
    async create({ tenant, user }, { inputFile, endpoint, window, windowMs, metadata, plan }) {
      const made = await database.withTenant(tenant, async (tables) => {
        const [file] = await tables
          .select({ id: files.id })
          .from(files)
          .where(and(eq(files.id, inputFile), eq(files.user, user), eq(files.purpose, 'batch')));
        if (!file) throw new AppError('file_not_found', { param: 'input_file_id' });
        const id = `batch_${newId().replaceAll('-', '')}`;
        const [row] = await tables
          .insert(batches)
          .values({
            id,
            tenant,
            user,
            plan,
            endpoint,
            inputFile,
            window,
            metadata: metadata ?? null,
            status: 'validating',
            createdAtMs: now(),
            expiresAtMs: now() + windowMs,
          })
          .returning();
        return row as BatchRow;
      });
      onWork();
      return toBatchObject(made);
    },

    list: ({ tenant, user }, { limit, after }) =>
      database.withTenant(tenant, async (tables) => {
        const last = after === undefined ? undefined : await find(tables, { tenant, user }, after);
        const rows = await tables
          .select()
          .from(batches)
          .where(
            and(
              eq(batches.user, user),
              last &&
                or(
                  lt(batches.createdAtMs, last.createdAtMs),
                  and(eq(batches.createdAtMs, last.createdAtMs), lt(batches.id, last.id)),
                ),
            ),
          )
          .orderBy(desc(batches.createdAtMs), desc(batches.id))
          .limit(limit + 1);
        return { data: rows.slice(0, limit).map(toBatchObject), hasMore: rows.length > limit };
      }),

    get: (owner, id) =>
      database.withTenant(owner.tenant, async (tables) => toBatchObject(await find(tables, owner, id))),

    async cancel(owner, id) {
      const cancelled = await database.withTenant(owner.tenant, async (tables) => {
        await find(tables, owner, id);
        await tables
          .update(batches)
          .set({ status: 'cancelling', cancellingAtMs: now() })
          .where(and(eq(batches.id, id), inArray(batches.status, ['validating', 'in_progress'])));
        return toBatchObject(await find(tables, owner, id));
      });
      onWork();
      return cancelled;
    },
  };
}

export function toBatchObject(row: BatchRow): BatchObject {
  return {
    id: row.id,
    object: 'batch',
    endpoint: row.endpoint,
    errors: row.faults && { object: 'list', data: row.faults },
    input_file_id: row.inputFile,
    completion_window: row.window,
    status: row.status,
    output_file_id: row.outputFile,
    error_file_id: row.errorFile,
    created_at: Math.floor(row.createdAtMs / 1000),
    in_progress_at: toSeconds(row.inProgressAtMs),
    expires_at: Math.floor(row.expiresAtMs / 1000),
    finalizing_at: toSeconds(row.finalizingAtMs),
    completed_at: toSeconds(row.completedAtMs),
    failed_at: toSeconds(row.failedAtMs),
    expired_at: toSeconds(row.expiredAtMs),
    cancelling_at: toSeconds(row.cancellingAtMs),
    cancelled_at: toSeconds(row.cancelledAtMs),
    request_counts: { total: row.total, completed: row.done, failed: row.failed },
    metadata: row.metadata,
  };
}

function toSeconds(ms: number | null): number | null {
  return ms === null ? null : Math.floor(ms / 1000);
}
