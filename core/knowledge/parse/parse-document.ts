import { DocumentFault } from './document-fault.ts';
import type { DocumentType } from './media-types.ts';
import { decodeText, parseText } from './parse-text.ts';
import type { ParsedDocument } from './section.ts';

/** A document by its kind; what reads it is loaded when it is needed. @throws DocumentFault */
export async function parseDocument(bytes: Uint8Array, type: DocumentType): Promise<ParsedDocument> {
  switch (type) {
    case 'text/plain':
      return parseText(decodeText(bytes));
    case 'text/markdown':
      return (await import('./parse-markdown.ts')).parseMarkdown(decodeText(bytes));
    case 'text/html':
      return (await import('./parse-html.ts')).parseHtml(decodeText(bytes));
    case 'application/pdf':
      if (!startsWith(bytes, '%PDF-')) throw new DocumentFault('The file is no PDF.');
      return (await import('./parse-pdf.ts')).parsePdf(bytes);
    default:
      return (await import('./parse-docx.ts')).parseDocx(bytes);
  }
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  // A PDF's header may stand anywhere in its first kilobyte (ISO 32000-1, annex H.3).
  return Buffer.from(bytes.subarray(0, 1024)).includes(text);
}
