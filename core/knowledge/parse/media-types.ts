/** What documents can be, by the media type that a file is sent with or by its name's ending. */

export const mediaTypes = {
  'text/markdown': ['.md', '.markdown'],
  'text/plain': ['.txt', '.text'],
  'text/html': ['.html', '.htm'],
  'application/pdf': ['.pdf'],
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': ['.docx'],
} as const;

export type DocumentType = keyof typeof mediaTypes;

/** The name's ending goes first: browsers send Markdown as anything. */
export function documentTypeOf(name: string, sentAs: string | undefined): DocumentType | undefined {
  const ending = /\.[^.]+$/.exec(name.toLowerCase())?.[0];
  for (const [type, endings] of Object.entries(mediaTypes))
    if ((endings as readonly string[]).includes(ending ?? '')) return type as DocumentType;
  const plain = sentAs?.split(';')[0]?.trim().toLowerCase();
  return plain !== undefined && plain in mediaTypes ? (plain as DocumentType) : undefined;
}
