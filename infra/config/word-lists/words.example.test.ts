import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readCompiledWords } from '../../../edge/filter/compiled-words.ts';
import { createFolding } from '../../../edge/filter/folding.ts';
import { compileWords } from '../../local/word-lists/compile-words.ts';
import { parseWordList } from '../../local/word-lists/word-list.ts';

test('the example list is valid, and no two of its entries are one', () => {
  const entries = parseWordList(readFileSync(join(import.meta.dirname, 'words.example.txt'), 'utf8'));
  expect(readCompiledWords(compileWords(entries, createFolding())).wordCount).toBe(entries.length);
  expect(entries.length).toBeGreaterThan(40);
});
