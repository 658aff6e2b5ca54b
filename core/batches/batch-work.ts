/**
 * What is to be done for batches, in the database: the table is the queue. Lines are taken with `FOR UPDATE SKIP LOCKED`
 * under a lease, so that several instances share them and those of one that died are taken again; a line's answer is
 * written in the transaction that marks it answered, so that each has one. (pg-boss keeps several connections busy, and
 * the embedded database has one.)
 */
import { and, asc, count, eq, inArray, lte, sql } from 'drizzle-orm';
import type { BatchEndpoint } from '../../shared/protocol/batch-protocol.ts';
import type { Database, Tables } from '../db/database.ts';
import { batches, batchLines, files } from '../db/schema.ts';
import type { BatchRow } from './batches.ts';
import { newFileId, readLines } from './files.ts';
import { parseLines } from './parse-lines.ts';

export interface ClaimedLine {
  batch: BatchRow;
  ordinal: number;
  customId: string;
  body: string;
  /** This one counted. */
  attempts: number;
}

export interface LineAnswer {
  line: ClaimedLine;
  isError: boolean;
  /** The line of the output, JSON. */
  answer: string;
}

export interface BatchWork {
  /** Batches that are not at their end, of all tenants, oldest first. */
  open(): Promise<BatchRow[]>;
  /** Reads the input file of one that is new. */
  validate(batch: BatchRow): Promise<void>;
  /** Takes lines that nobody answers. */
  claim(batch: BatchRow, most: number): Promise<ClaimedLine[]>;
  /** Keeps lines from being taken by others. */
  renew(lines: readonly ClaimedLine[]): Promise<void>;
  /** Gives lines back, to be taken from `atMs` on. */
  release(lines: readonly ClaimedLine[], atMs: number): Promise<void>;
  /** Writes answers down; one that is there already stays. */
  finish(answers: readonly LineAnswer[]): Promise<void>;
  /** Takes all leases away: those who held them are no more. */
  reclaim(): Promise<void>;
  /** Ends a batch that has nothing left to do, is over its time, or is to be cancelled and is no more at work. */
  advance(batch: BatchRow): Promise<void>;
}

export interface BatchWorkOptions {
  database: Database;
  leaseMs: number;
  now: () => number;
  newId: () => string;
}

const LINES_A_STATEMENT = 500;
const isOpen = inArray(batches.status, ['validating', 'in_progress', 'finalizing', 'cancelling']);

// long: the queries of one queue; each method is short
export function createBatchWork({ database, leaseMs, now, newId }: BatchWorkOptions): BatchWork {
  /** In groups of one batch, and so of one tenant. */
  async function eachBatch<T extends { batch: BatchRow }>(
    items: readonly T[],
    work: (tables: Tables, batch: BatchRow, items: T[]) => Promise<unknown>,
  ): Promise<void> {
    const groups = Map.groupBy(items, ({ batch }) => batch.id);
    for (const group of groups.values()) {
      const { batch } = group[0] as T;
      await database.withTenant(batch.tenant, (tables) => work(tables, batch, group));
    }
  }

  function lease(lines: readonly ClaimedLine[], untilMs: number): Promise<void> {
    return eachBatch(lines, (tables, { id }, group) =>
      tables
        .update(batchLines)
        .set({ leaseUntilMs: untilMs })
        .where(
          and(
            eq(batchLines.batch, id),
            eq(batchLines.state, 'waiting'),
            inArray(
              batchLines.ordinal,
              group.map(({ ordinal }) => ordinal),
            ),
          ),
        ),
    );
  }

  return {
    open: () =>
      database.acrossTenants((tables) =>
        tables.select().from(batches).where(isOpen).orderBy(asc(batches.createdAtMs)),
      ),

    async validate(batch) {
      const { id, tenant, inputFile, endpoint } = batch;
      const [file] = await database.withTenant(tenant, (tables) =>
        tables.select().from(files).where(eq(files.id, inputFile)),
      );
      const gone = { code: 'file_not_found', message: 'The input file is gone.', line: null, param: null };
      const parsed = file
        ? parseLines(await readLines(database, file), endpoint as BatchEndpoint)
        : { faults: [gone] };
      await database.withTenant(tenant, async (tables) => {
        const isNew = and(eq(batches.id, id), eq(batches.status, 'validating'));
        if ('faults' in parsed) {
          const failed = { status: 'failed', failedAtMs: now(), faults: parsed.faults } as const;
          return tables.update(batches).set(failed).where(isNew);
        }
        const begun = { status: 'in_progress', inProgressAtMs: now(), total: parsed.lines.length } as const;
        const [mine] = await tables.update(batches).set(begun).where(isNew).returning({ id: batches.id });
        // Another instance has read it meanwhile, or it was cancelled.
        if (!mine) return;
        const rows = parsed.lines.map((line, ordinal) => ({
          batch: id,
          ordinal,
          tenant,
          ...line,
          state: 'waiting' as const,
        }));
        for (let at = 0; at < rows.length; at += LINES_A_STATEMENT)
          await tables.insert(batchLines).values(rows.slice(at, at + LINES_A_STATEMENT));
      });
    },

    claim: (batch, most) =>
      database.withTenant(batch.tenant, async (tables) => {
        const free = tables
          .select({ ordinal: batchLines.ordinal })
          .from(batchLines)
          .where(
            and(
              eq(batchLines.batch, batch.id),
              eq(batchLines.state, 'waiting'),
              lte(batchLines.leaseUntilMs, now()),
            ),
          )
          .orderBy(asc(batchLines.ordinal))
          .limit(most)
          .for('update', { skipLocked: true });
        // As an array it is read once; a subquery could be read, and its limit begun anew, for every row.
        const taken = await tables
          .update(batchLines)
          .set({ leaseUntilMs: now() + leaseMs, attempts: sql`${batchLines.attempts} + 1` })
          .where(and(eq(batchLines.batch, batch.id), sql`${batchLines.ordinal} = ANY(ARRAY(${free}))`))
          .returning();
        return taken
          .sort((one, other) => one.ordinal - other.ordinal)
          .map(({ ordinal, customId, body, attempts }) => ({ batch, ordinal, customId, body, attempts }));
      }),

    async reclaim() {
      const open = await database.acrossTenants((tables) => tables.select().from(batches).where(isOpen));
      for (const { id, tenant } of open) {
        await database.withTenant(tenant, (tables) =>
          tables
            .update(batchLines)
            .set({ leaseUntilMs: 0 })
            .where(and(eq(batchLines.batch, id), eq(batchLines.state, 'waiting'))),
        );
      }
    },

    renew: (lines) => lease(lines, now() + leaseMs),
    release: (lines, atMs) => lease(lines, atMs),

    finish: (answers) =>
      eachBatch(
        answers.map((answer) => ({ ...answer, batch: answer.line.batch })),
        async (tables, { id }, group) => {
          const rows = group.map(({ line, isError, answer }) => ({
            ordinal: line.ordinal,
            state: isError ? 'failed' : 'done',
            answer,
          }));
          const written = await tables
            .update(batchLines)
            .set({ state: sql`answered.state`, answer: sql`answered.answer` })
            .from(
              sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS answered(ordinal int, state text, answer text)`,
            )
            .where(
              and(
                eq(batchLines.batch, id),
                eq(batchLines.ordinal, sql`answered.ordinal`),
                eq(batchLines.state, 'waiting'),
              ),
            )
            .returning({ state: batchLines.state });
          const failed = written.filter(({ state }) => state === 'failed').length;
          await tables
            .update(batches)
            .set({
              done: sql`${batches.done} + ${written.length - failed}`,
              failed: sql`${batches.failed} + ${failed}`,
            })
            .where(eq(batches.id, id));
        },
      ),

    advance: (batch) =>
      database.withTenant(batch.tenant, async (tables) => {
        const [found] = await tables.select().from(batches).where(eq(batches.id, batch.id)).for('update');
        if (!found) return;
        const isOver = found.status === 'in_progress' && found.expiresAtMs <= now();
        if (isOver) await expire(tables, found);
        const { waiting, leased } = await remaining(tables, found.id);
        if (found.status === 'in_progress' && waiting === 0)
          await close(tables, found, isOver ? 'expired' : 'completed');
        if (found.status === 'cancelling' && leased === 0) await close(tables, found, 'cancelled');
      }),
  };

  async function remaining(tables: Tables, id: string): Promise<{ waiting: number; leased: number }> {
    const [counts] = await tables
      .select({ waiting: count(), leased: sql<number>`count(*) FILTER (WHERE lease_until_ms > ${now()})` })
      .from(batchLines)
      .where(and(eq(batchLines.batch, id), eq(batchLines.state, 'waiting')));
    return { waiting: Number(counts?.waiting), leased: Number(counts?.leased) };
  }

  /** Lines that nobody is answering get no answer any more. */
  async function expire(tables: Tables, { id }: BatchRow): Promise<void> {
    const error = {
      code: 'batch_expired',
      message: 'The batch was over its time before this line was answered.',
    };
    const expired = await tables
      .update(batchLines)
      .set({
        state: 'failed',
        answer: sql`json_build_object('id', 'batch_req_' || ${id} || '_' || ordinal, 'custom_id', custom_id, 'response', NULL, 'error', ${JSON.stringify(error)}::json)::text`,
      })
      .where(
        and(eq(batchLines.batch, id), eq(batchLines.state, 'waiting'), lte(batchLines.leaseUntilMs, now())),
      )
      .returning({ ordinal: batchLines.ordinal });
    await tables
      .update(batches)
      .set({ failed: sql`${batches.failed} + ${expired.length}` })
      .where(eq(batches.id, id));
  }

  async function close(
    tables: Tables,
    batch: BatchRow,
    status: 'completed' | 'expired' | 'cancelled',
  ): Promise<void> {
    const outputFile = await createOutput(tables, batch, 'done');
    const errorFile = await createOutput(tables, batch, 'failed');
    await tables
      .update(batches)
      .set({ status, outputFile, errorFile, finalizingAtMs: now(), [`${status}AtMs`]: now() })
      .where(eq(batches.id, batch.id));
  }

  /** The file that shows these answers; none where there are none. */
  async function createOutput(
    tables: Tables,
    { id: batch, tenant, user }: BatchRow,
    holds: 'done' | 'failed',
  ): Promise<string | null> {
    const [size] = await tables
      .select({ lines: count(), bytes: sql<number>`coalesce(sum(octet_length(answer) + 1), 0)` })
      .from(batchLines)
      .where(and(eq(batchLines.batch, batch), eq(batchLines.state, holds)));
    if (Number(size?.lines) === 0) return null;
    const id = newFileId(newId);
    await tables.insert(files).values({
      id,
      tenant,
      user,
      filename: `${batch}_${holds === 'done' ? 'output' : 'error'}.jsonl`,
      purpose: 'batch_output',
      bytes: Number(size?.bytes),
      createdAtMs: now(),
      batch,
      holds,
    });
    return id;
  }
}
