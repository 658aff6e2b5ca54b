/** The thread in which documents are read: see `create-parser.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { DocumentFault } from './document-fault.ts';
import type { DocumentType } from './media-types.ts';
import { parseDocument } from './parse-document.ts';
import type { ParsedDocument } from './section.ts';

export type ParseOutcome = { parsed: ParsedDocument } | { fault: string };

const { bytes, type }: { bytes: Uint8Array; type: DocumentType } = workerData;

async function parse(): Promise<ParseOutcome> {
  try {
    return { parsed: await parseDocument(bytes, type) };
  } catch (error) {
    return { fault: error instanceof DocumentFault ? error.message : 'The file cannot be read.' };
  }
}

parentPort?.postMessage(await parse());
