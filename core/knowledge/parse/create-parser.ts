/**
 * Reads documents in a thread of their own, bounded in time and memory: a file that was made to harm ends its thread and nothing
 * else.
 */
import { Worker } from 'node:worker_threads';
import { AppError } from '../../../shared/errors.ts';
import type { DocumentType } from './media-types.ts';
import type { ParseOutcome } from './parse-worker.ts';
import type { ParsedDocument } from './section.ts';

/** @throws AppError `document_unreadable` */
export type ParseFile = (bytes: Uint8Array, type: DocumentType) => Promise<ParsedDocument>;

const TIMEOUT_MS = 60_000;
const MAX_HEAP_MB = 512;

export function createParser(timeoutMs: number = TIMEOUT_MS): ParseFile {
  return async function parseFile(bytes, type) {
    const worker = new Worker(new URL('./parse-worker.ts', import.meta.url), {
      workerData: { bytes, type },
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
      // What libraries have to say of a broken file is no log line of ours.
      stdout: true,
      stderr: true,
    });
    const outcome = Promise.withResolvers<ParseOutcome>();
    const timer = setTimeout(
      () => outcome.resolve({ fault: 'It takes too long to read the file.' }),
      timeoutMs,
    );
    worker.once('message', outcome.resolve);
    worker.once('error', () => outcome.resolve({ fault: 'The file cannot be read.' }));
    worker.once('exit', () => outcome.resolve({ fault: 'The file cannot be read.' }));
    try {
      const result = await outcome.promise;
      if ('parsed' in result) return result.parsed;
      throw new AppError('document_unreadable', { param: 'file', message: result.fault });
    } finally {
      clearTimeout(timer);
      await worker.terminate();
    }
  };
}
