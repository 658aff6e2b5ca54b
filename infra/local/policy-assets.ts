/** Compiles the word lists of `infra/policy/` into assets. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFolding } from '../../edge/filter/folding.ts';
import { compileWords } from '../policy/compile-words.ts';
import { parseWordList } from '../policy/word-list.ts';
import { characterTable } from './filter-assets.ts';

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
    const part = join(to, `${asset}.${process.pid}.part`);
    try {
      const entries = parseWordList(await readFile(join(from, name), 'utf8'));
      await writeFile(part, new Uint8Array(compileWords(entries, folding)));
    } catch (error) {
      throw new Error(`${join(from, name)}: ${(error as Error).message}`, { cause: error });
    }
    await rename(part, join(to, asset));
    kept.add(asset);
  }
  for (const old of await readdir(to)) {
    if (old.endsWith('.bin') && !kept.has(old)) await rm(join(to, old), { force: true });
  }
}
