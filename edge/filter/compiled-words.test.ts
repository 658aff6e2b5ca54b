import { expect, test } from 'vitest';
import { compileWords } from '../../infra/local/word-lists/compile-words.ts';
import { parseWordList } from '../../infra/local/word-lists/word-list.ts';
import { readCompiledWords } from './compiled-words.ts';
import { createFolding } from './folding.ts';

const bytes = compileWords(parseWordList('[refuse a]\nkill bill\n[mask b]\n词\n𠮷野家'), createFolding());

test('reads compiled words', () => {
  const words = readCompiledWords(bytes);
  expect(words).toMatchObject({ wordCount: 3, maxDepth: 8, labels: ['a', 'b'] });
  expect([...words.breaks.values()]).toEqual([1n << 4n]);
  expect(words.wideCodes.has(0x20bb7)).toBe(true);
  expect(words.codes['词'.charCodeAt(0)]).toBeGreaterThan(0);
  expect(words.codes['a'.charCodeAt(0)]).toBe(0);
});

test('reads a list without words', () => {
  expect(readCompiledWords(compileWords([], createFolding()))).toMatchObject({ wordCount: 0, maxDepth: 0 });
});

test('rejects bytes that are truncated, too long or of another format', () => {
  const longer = new Uint8Array(bytes.byteLength + 1);
  longer.set(new Uint8Array(bytes));
  const other = Uint8Array.from(new TextEncoder().encode('[mask]\nword')).buffer;
  for (const wrong of [new ArrayBuffer(0), new ArrayBuffer(8), bytes.slice(0, -1), longer.buffer, other])
    expect(() => readCompiledWords(wrong)).toThrow();
});
