import { expect, test } from 'vitest';
import { readCompiledWords } from '../../../edge/filter/compiled-words.ts';
import { createFolding } from '../../../edge/filter/folding.ts';
import { compileWords } from './compile-words.ts';
import { parseWordList, WordListError } from './word-list.ts';

test('a list is parsed line by line, under its headings', () => {
  const list = parseWordList(
    '\ufeff# remark\r\none\r\n\r\n[refuse cards]\r\n two words \r\n*stem*\r\n[mask]\r\n词',
  );
  expect(list).toEqual([
    { text: 'one', action: 'mask', label: 'word', freeStart: false, freeEnd: false, line: 2 },
    { text: 'two words', action: 'refuse', label: 'cards', freeStart: false, freeEnd: false, line: 5 },
    { text: 'stem', action: 'refuse', label: 'cards', freeStart: true, freeEnd: true, line: 6 },
    { text: '词', action: 'mask', label: 'word', freeStart: false, freeEnd: false, line: 8 },
  ]);
});

test('the error names every fault of a list', () => {
  const text = ['[drop]', 'fine', '*', `x${'y'.repeat(64)}`, '[refuse two words]'].join('\n');
  expect(() => parseWordList(text)).toThrow(WordListError);
  try {
    parseWordList(text);
  } catch (error) {
    expect((error as WordListError).faults.map((fault) => fault.split(':')[0])).toEqual([
      'line 1',
      'line 3',
      'line 4',
      'line 5',
    ]);
  }
});

test.each(['a', '7', '---', 'é', '\u200b\u200b'])('%j is too short to search for', (word) => {
  expect(() => compileWords(parseWordList(`ok then\n${word}`), createFolding())).toThrow('line 2');
});

test('words that fold to the same are merged, and the stricter action wins', () => {
  const words = readCompiledWords(
    compileWords(parseWordList('[mask]\nHello\n[refuse x]\nhéllo\n[mask]\nhello'), createFolding()),
  );
  expect(words.wordCount).toBe(1);
  expect(words.labels[words.labelOf[words.hit.findLast((node) => node !== 0) ?? 0] ?? 0]).toBe('x');
});
