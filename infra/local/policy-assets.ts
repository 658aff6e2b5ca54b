/** Compiles the word lists of `infra/config/word-lists/` into assets. */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createFolding } from '../../edge/filter/folding.ts';
import { characterTable } from './filter-assets.ts';
import { compileWords } from './word-lists/compile-words.ts';
import { parseWordList } from './word-lists/word-list.ts';
import { writeFileAtomic } from './write-file-atomic.ts';

const listName = /^words(?:\.[\w-]{1,64})?\.txt$/;
/** Documents the format; its words are not in force. */
const exampleName = 'words.example.txt';

/**
 * Assets in `to` whose list is no longer in `from` are deleted.
 * @throws Error that names the list and the lines with faults
 */
export async function buildWordLists(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const names = (await readdir(from)).filter((name) => listName.test(name) && name !== exampleName);
  const folding = createFolding(await characterTable());
  const kept = new Set<string>();
  for (const name of names) {
    const asset = name.replace(/\.txt$/, '.bin');
    try {
      const entries = parseWordList(await readFile(join(from, name), 'utf8'));
      await writeFileAtomic(join(to, asset), new Uint8Array(compileWords(entries, folding)));
    } catch (error) {
      throw new Error(`${join(from, name)}: ${(error as Error).message}`, { cause: error });
    }
    kept.add(asset);
  }
  for (const old of await readdir(to)) {
    if (old.endsWith('.bin') && !kept.has(old)) await rm(join(to, old), { force: true });
  }
}
