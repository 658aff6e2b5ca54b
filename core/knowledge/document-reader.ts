/**
 * Reads documents in child processes with a limit on memory and time: a file that was made to harm ends its process and nothing
 * else. Owns the queue of files: at most two are read at once, and tenants take turns.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../shared/errors.ts';
import { createFairQueue } from '../quota/fair-queue.ts';
import type { ReadDocument, ReadOutcome, ReadRequest } from './document-process.ts';

export interface DocumentReader {
  /** @throws AppError `document_unreadable`; `core_overloaded` when too many files wait */
  read(tenant: string, request: ReadRequest): Promise<ReadDocument>;
}

export interface DocumentReaderOptions {
  /** For one file, from the start of its process. */
  timeoutMs?: number;
  /** Resident memory of one process. */
  maxMemoryMb?: number;
}

const TIMEOUT_MS = 30_000;
const MAX_MEMORY_MB = 400;
const MAX_HEAP_MB = 256;
/** Node's own mappings that count as data (RLIMIT_DATA, setrlimit(2)) before a file is read; measured with Node 24. */
const NODE_DATA_MB = 600;
const MAX_PROCESSES = 2;
const MAX_WAITING = 32;
const MAX_WAITING_OF_TENANT = 8;
const RETRY_AFTER_MS = 10_000;
const MEMORY_CHECK_MS = 50;
/** Below what serves streams (nice(2)). */
const LOW_PRIORITY = 10;

const entry = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? './document-process.ts' : './document-process.mjs',
    import.meta.url,
  ),
);

interface WaitingFile {
  tenant: string;
  priority: 'background';
  start: () => void;
}

export function createDocumentReader({
  timeoutMs = TIMEOUT_MS,
  maxMemoryMb = MAX_MEMORY_MB,
}: DocumentReaderOptions = {}): DocumentReader {
  const waiting = createFairQueue<WaitingFile>();
  let running = 0;

  function startNext(): void {
    while (running < MAX_PROCESSES) {
      const next = waiting.peek();
      if (!next) return;
      waiting.remove(next);
      running++;
      next.start();
    }
  }

  return {
    async read(tenant, request) {
      const ofTenant = [...waiting.entries()].filter((file) => file.tenant === tenant).length;
      if (waiting.size >= MAX_WAITING || ofTenant >= MAX_WAITING_OF_TENANT)
        throw new AppError('core_overloaded', {
          message: 'Too many documents are being read. Try again in a moment.',
          retryAfterMs: RETRY_AFTER_MS,
        });
      await new Promise<void>((start) => {
        waiting.push({ tenant, priority: 'background', start });
        startNext();
      });
      try {
        const outcome = await readInProcess(request, { timeoutMs, maxMemoryMb });
        if ('document' in outcome) return outcome.document;
        throw new AppError('document_unreadable', { param: 'file', message: outcome.fault });
      } finally {
        running--;
        startNext();
      }
    },
  };
}

async function readInProcess(
  request: ReadRequest,
  { timeoutMs, maxMemoryMb }: Required<DocumentReaderOptions>,
): Promise<ReadOutcome> {
  const child = startProcess(timeoutMs, maxMemoryMb);
  const outcome = Promise.withResolvers<ReadOutcome>();
  const fail = (fault: string) => outcome.resolve({ fault });
  const timer = setTimeout(() => fail('It takes too long to read the file.'), timeoutMs);
  const memory = setInterval(() => {
    if (residentMb(child.pid) > maxMemoryMb) fail('It takes too much memory to read the file.');
  }, MEMORY_CHECK_MS);
  child.once('message', (message) => outcome.resolve(message as ReadOutcome));
  child.once('error', () => fail('The file cannot be read.'));
  child.once('exit', () => fail('The file cannot be read.'));
  child.send(request, (error) => error && fail('The file cannot be read.'));
  try {
    return await outcome.promise;
  } finally {
    clearTimeout(timer);
    clearInterval(memory);
    child.kill('SIGKILL');
  }
}

/** It gets no variable of ours: a parser needs no key. */
function startProcess(timeoutMs: number, maxMemoryMb: number): ChildProcess {
  const node = [process.execPath, `--max-old-space-size=${MAX_HEAP_MB}`, entry];
  const [command = '', ...args] = process.platform === 'linux' ? limited(node, timeoutMs, maxMemoryMb) : node;
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH },
    // What libraries have to say of a broken file is no log line of ours.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  });
  try {
    if (child.pid !== undefined) setPriority(child.pid, LOW_PRIORITY);
  } catch {
    // It may have ended already.
  }
  return child;
}

/** The system's limits hold what the heap's does not: buffers, and the time when this process is killed meanwhile. */
function limited(command: string[], timeoutMs: number, maxMemoryMb: number): string[] {
  const dataKb = (NODE_DATA_MB + maxMemoryMb) * 1024;
  const cpuSeconds = Math.ceil(timeoutMs / 1000) + 1;
  return ['/bin/sh', '-c', `ulimit -d ${dataKb}; ulimit -t ${cpuSeconds}; exec "$@"`, 'sh', ...command];
}

const PAGE_KB = 4;

/** 0 where the system does not report it (proc(5) is Linux's). */
function residentMb(pid: number | undefined): number {
  try {
    const [, pages = 0] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ').map(Number);
    return (pages * PAGE_KB) / 1024;
  } catch {
    return 0;
  }
}
