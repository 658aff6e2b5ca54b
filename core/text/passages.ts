/** The Markdown documents of a folder, cut into passages at their headings. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Passage {
  id: string;
  /** The document's file name. */
  source: string;
  /** The headings that lead to it, outermost first: `Sessions > How long is a session kept?` */
  heading: string;
  text: string;
}

export async function readPassages(folder: string): Promise<Passage[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.md')).sort();
  const documents = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return names.flatMap((name, index) => cutPassages(name, documents[index] ?? ''));
}

/** One passage per heading that has text of its own. */
export function cutPassages(source: string, markdown: string): Passage[] {
  const passages: Passage[] = [];
  const headings: string[] = [];
  let lines: string[] = [];
  let fenced = false;
  const flush = () => {
    const text = lines.join('\n').trim();
    lines = [];
    if (text === '') return;
    const heading = headings.filter((part) => part).join(' > ');
    passages.push({ id: `${source}#${passages.length}`, source, heading, text });
  };
  for (const line of markdown.split(/\r?\n/)) {
    if (/^\s*(?:```|~~~)/.test(line)) fenced = !fenced;
    const match = fenced ? null : /^(#{1,6})\s+(.+?)\s*#*$/.exec(line);
    if (!match) {
      lines.push(line);
      continue;
    }
    flush();
    const level = (match[1] ?? '').length;
    headings.length = level - 1;
    headings[level - 1] = match[2] ?? '';
  }
  flush();
  return passages;
}
