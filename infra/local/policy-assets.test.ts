import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCompiledWords } from '../../edge/filter/compiled-words.ts';
import { buildWordLists } from './policy-assets.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'policy-'));
  await mkdir(join(root, 'from'));
});
afterEach(() => rm(root, { recursive: true, force: true }));
const build = () => buildWordLists(join(root, 'from'), join(root, 'to'));
const write = (name: string, text: string) => writeFile(join(root, 'from', name), text);

test('lists become assets, and assets of deleted lists are deleted', async () => {
  await write('words.txt', '[mask]\nfine');
  await write('words.acme.txt', '[refuse]\nfiner\n词');
  await write('words.example.txt', 'example');
  await write('notes.md', 'notes');
  await build();
  expect((await readdir(join(root, 'to'))).sort()).toEqual(['words.acme.bin', 'words.bin']);
  const { buffer } = new Uint8Array(await readFile(join(root, 'to/words.acme.bin')));
  const words = readCompiledWords(buffer);
  expect(words.wordCount).toBe(2);
  expect(words.maxDepth).toBe(5);
  await rm(join(root, 'from/words.acme.txt'));
  await build();
  expect(await readdir(join(root, 'to'))).toEqual(['words.bin']);
});

test('an invalid list fails the build, with its name and lines', async () => {
  await write('words.txt', 'fine\n[what]');
  await expect(build()).rejects.toThrow(/words\.txt: [\s\S]*line 2/);
  await write('words.txt', 'fine\n\n-');
  await expect(build()).rejects.toThrow(/words\.txt: [\s\S]*line 3/);
});
