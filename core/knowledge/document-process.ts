/**
 * The child process that reads one document: see `document-reader.ts`. It parses, cuts, finds the terms and makes the built-in
 * vectors, so that nothing of a document's size is computed where streams are served.
 */
import { toVector } from '../search/built-in-embedder.ts';
import { embeddingText } from '../search/embedder.ts';
import { termsOf } from '../text/words.ts';
import { cutSections } from './cut-sections.ts';
import { DocumentFault } from './parse/document-fault.ts';
import type { DocumentType } from './parse/media-types.ts';
import { parseDocument } from './parse/parse-document.ts';
import type { Section } from './parse/section.ts';

export interface ReadRequest {
  bytes: Uint8Array;
  type: DocumentType;
  withVectors: boolean;
}

export interface Passage extends Section {
  /** For the index of words. */
  terms: string[];
  /** Of the built-in embedder, where it was asked for. */
  vector?: Float64Array | undefined;
}

export interface ReadDocument {
  /** What it calls itself, if it does. */
  title: string | undefined;
  /** 1 to {@link MAX_PASSAGES}. */
  passages: Passage[];
}

export type ReadOutcome = { document: ReadDocument } | { fault: string };

const MAX_PASSAGES = 10_000;

/** @throws DocumentFault */
async function read({ bytes, type, withVectors }: ReadRequest): Promise<ReadDocument> {
  const { title, sections } = await parseDocument(bytes, type);
  const cut = cutSections(sections.map(withoutNulls));
  if (cut.length === 0) throw new DocumentFault('The document holds no text.');
  if (cut.length > MAX_PASSAGES)
    throw new DocumentFault(
      `The document comes to ${cut.length} passages; at most ${MAX_PASSAGES} are taken.`,
    );
  const passages = cut.map((section) => ({
    ...section,
    terms: termsOf(`${section.heading} ${section.text}`),
    vector: withVectors ? Float64Array.from(toVector(embeddingText(section))) : undefined,
  }));
  return { title: title?.replaceAll('\0', ' '), passages };
}

/** PostgreSQL's texts hold no U+0000. */
function withoutNulls({ heading, text }: Section): Section {
  return { heading: heading.replaceAll('\0', ' '), text: text.replaceAll('\0', ' ') };
}

async function outcomeOf(request: ReadRequest): Promise<ReadOutcome> {
  try {
    return { document: await read(request) };
  } catch (error) {
    return { fault: error instanceof DocumentFault ? error.message : 'The file cannot be read.' };
  }
}

process.once('message', async (request: ReadRequest) => {
  const outcome = await outcomeOf(request);
  process.send?.(outcome, () => process.disconnect());
});
