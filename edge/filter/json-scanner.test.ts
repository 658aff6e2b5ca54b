import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileWords } from '../../infra/local/word-lists/compile-words.ts';
import { parseWordList } from '../../infra/local/word-lists/word-list.ts';
import { readCompiledWords } from './compiled-words.ts';
import { createFolding } from './folding.ts';
import { JsonScanner } from './json-scanner.ts';
import { createMaskingStream } from './masking-stream.ts';
import { WordScanner } from './word-scanner.ts';

const folding = createFolding();
const words = readCompiledWords(compileWords(parseWordList('hell\n敏感词\nsick note'), folding));

function filter(pieces: readonly string[]): string {
  const stream = createMaskingStream(new JsonScanner(new WordScanner(words, folding)), () => '***');
  return [...pieces.map((piece) => stream.push(piece)), stream.end()].join('');
}

test.each([
  ['{"a":"what the hell"}', '{"a":"what the ***"}'],
  ['{"a":"\\u654f\\u611F\\u8BCD!"}', '{"a":"***!"}'],
  ['{"a":"敏\\u611f词"}', '{"a":"***"}'],
  ['{"hell":[1,"h\\u0065ll","shell"]}', '{"***":[1,"***","shell"]}'],
  ['{"a":"sick\\nnote"}', '{"a":"***"}'],
  ['{"a":"敏","b":"感词"}', '{"a":"敏","b":"感词"}'],
  ['["敏","感词","hel","l"]', '["敏","感词","hel","l"]'],
  ['{"a":"\\"hell\\" \\\\hell"}', '{"a":"\\"***\\" \\\\***"}'],
  ['{"a":"\\ud83d\\ude00 hell \\u12"}', '{"a":"\\ud83d\\ude00 *** \\u12"}'],
  ['{"a":"\\u6敏感词"}', '{"a":"\\u6***"}'],
  ['not json: hell, hello', 'not json: ***, hello'],
  ['{"a":"cut \\', '{"a":"cut \\'],
])('%s', (json, result) => {
  expect(filter([json])).toBe(result);
  expect(filter([...json])).toBe(result);
});

test('any JSON, however it is cut, stays valid and equals its strings filtered one by one', () => {
  const text = fc.string({
    unit: fc.constantFrom('hell', 'h', 'e', 'l', '敏', '感', '词', ' ', '"', '\\', '\n', '-', '😀', 'x'),
    maxLength: 12,
  });
  const filterText = (value: string) => {
    const stream = createMaskingStream(new WordScanner(words, folding), () => '***');
    return stream.push(value) + stream.end();
  };
  const escaped = (json: string) =>
    json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  fc.assert(
    fc.property(fc.array(text, { maxLength: 4 }), fc.boolean(), fc.array(fc.nat(80)), (texts, ascii, at) => {
      const json = ascii ? escaped(JSON.stringify(texts)) : JSON.stringify(texts);
      const places = [0, ...[...at].sort((a, b) => a - b), json.length];
      const pieces = places
        .slice(1)
        .map((to, index) => json.slice(Math.min(places[index] as number, json.length), to));
      expect(JSON.parse(filter(pieces))).toEqual(texts.map(filterText));
    }),
    { numRuns: 3000 },
  );
});
