/** Files, batches and whoever works on them, put together. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../db/database.ts';
import type { AnswerLine } from './answer-line.ts';
import { createBatchWork } from './batch-work.ts';
import { createBatchWorker } from './batch-worker.ts';
import { type Batches, createBatches } from './batches.ts';
import { createFiles, type Files } from './files.ts';

export interface BatchServices {
  files: Files;
  batches: Batches;
  /** Looks for work that was left undone. Returns at once. */
  resumeBatches(): void;
  stopBatches(): Promise<void>;
}

export interface BatchServicesOptions {
  database: Database;
  /** Where this process alone keeps the database; nobody else works on its batches then. */
  embeddedDir: string | undefined;
  answer: AnswerLine;
  concurrency: number;
  maxLineMs: number;
  now: () => number;
  wait: (ms: number, signal: AbortSignal) => Promise<void>;
  random: () => number;
  newId: () => string;
  onError: (error: unknown) => void;
}

const LEASE_MS = 10_000;
const IDLE_MS = 10_000;

export function openBatches(options: BatchServicesOptions): BatchServices {
  const { database, embeddedDir, answer, concurrency, maxLineMs, now, wait, random, newId, onError } =
    options;
  const work = createBatchWork({ database, leaseMs: LEASE_MS, now, newId });
  const worker = createBatchWorker({
    work,
    answer,
    concurrency,
    maxLineMs,
    leaseMs: LEASE_MS,
    idleMs: embeddedDir === undefined ? IDLE_MS : undefined,
    now,
    wait,
    random,
    newId,
    onError,
  });
  const isAtWork = concurrency > 0;

  async function resume(): Promise<void> {
    if (embeddedDir !== undefined) {
      // Nothing was ever kept: the database, which takes seconds to make, need not be opened for it.
      if (!(await stat(join(embeddedDir, 'PG_VERSION')).catch(() => undefined))) return;
      await work.reclaim();
    }
    worker.wake();
  }

  return {
    files: createFiles({ database, now, newId }),
    batches: createBatches({ database, now, newId, onWork: () => isAtWork && worker.wake() }),
    resumeBatches() {
      if (isAtWork) resume().catch(onError);
    },
    stopBatches: () => worker.stop(),
  };
}
