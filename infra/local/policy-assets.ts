/** Compiles the word lists of `infra/config/word-lists/` into assets. */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createFolding } from '../../edge/filter/folding.ts';
import { characterTable } from './filter-assets.ts';
import { compileWords } from './word-lists/compile-words.ts';
import { parseWordList } from './word-lists/word-list.ts';
import { writeWhole } from './write-whole.ts';

const listName = /^words(?:\.[\w-]{1,64})?\.txt$/;
/** Shows the form, and is no policy. */
const exampleName = 'words.example.txt';

/**
 * Lists that are gone from `from` are removed from `to` as well.
 * @throws Error that names the list and its lines at fault
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
      await writeWhole(join(to, asset), new Uint8Array(compileWords(entries, folding)));
    } catch (error) {
      throw new Error(`${join(from, name)}: ${(error as Error).message}`, { cause: error });
    }
    kept.add(asset);
  }
  for (const old of await readdir(to)) {
    if (old.endsWith('.bin') && !kept.has(old)) await rm(join(to, old), { force: true });
  }
}
