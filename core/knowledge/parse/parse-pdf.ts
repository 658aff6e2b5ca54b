import { extractText, getDocumentProxy, getMeta } from 'unpdf';
import { DocumentFault } from './document-fault.ts';
import type { ParsedDocument } from './section.ts';

export const MAX_PAGES = 1000;

/** One section a page: a PDF knows places on paper, not headings. @throws DocumentFault */
export async function parsePdf(bytes: Uint8Array): Promise<ParsedDocument> {
  // pdf.js refuses a Buffer, which is what a message of another process holds.
  const plainBytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pdf = await getDocumentProxy(plainBytes).catch((cause: unknown) => {
    const isLocked = cause instanceof Error && cause.name === 'PasswordException';
    throw new DocumentFault(isLocked ? 'The PDF is protected by a password.' : 'The PDF cannot be read.');
  });
  if (pdf.numPages > MAX_PAGES)
    throw new DocumentFault(`The PDF has ${pdf.numPages} pages; at most ${MAX_PAGES} are taken.`);
  const { text } = await extractText(pdf, { mergePages: false });
  const { info } = await getMeta(pdf);
  const title = typeof info?.Title === 'string' && info.Title.trim() !== '' ? info.Title.trim() : undefined;
  const sections = text.flatMap((page, index) =>
    page.trim() === '' ? [] : [{ heading: `page ${index + 1}`, text: page.trim() }],
  );
  if (sections.length === 0)
    throw new DocumentFault('The PDF holds no text; a scan would have to be recognised first.');
  return { title, sections };
}
