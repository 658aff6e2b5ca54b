import { DocumentFault } from './document-fault.ts';
import type { ParsedDocument } from './section.ts';

/** Plain text: one section. */
export function parseText(text: string): ParsedDocument {
  return { title: undefined, sections: text.trim() === '' ? [] : [{ heading: '', text: text.trim() }] };
}

/** UTF-8, or UTF-16 by its byte order mark. @throws DocumentFault */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new DocumentFault('The text is not valid UTF-8.');
  }
}
