import mammoth from 'mammoth';
import { checkZip } from './check-zip.ts';
import { DocumentFault } from './document-fault.ts';
import { parseHtml } from './parse-html.ts';
import type { ParsedDocument } from './section.ts';

/** Office Open XML text documents. Pictures are left out. @throws DocumentFault */
export async function parseDocx(bytes: Uint8Array): Promise<ParsedDocument> {
  checkZip(bytes);
  const buffer = Buffer.from(bytes);
  const options = { convertImage: mammoth.images.imgElement(async () => ({ src: '' })) };
  const { value } = await mammoth.convertToHtml({ buffer }, options).catch(() => {
    throw new DocumentFault('The file is no Word document (.docx), or it is damaged.');
  });
  return parseHtml(value);
}
