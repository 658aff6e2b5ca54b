import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileWords } from '../../infra/local/word-lists/compile-words.ts';
import { parseWordList, type WordEntry } from '../../infra/local/word-lists/word-list.ts';
import { seededRandom } from '../../shared/testing/streams.ts';
import { readCompiledWords } from './compiled-words.ts';
import { createFolding, foldText } from './folding.ts';
import { createMaskingStream } from './masking-stream.ts';
import { growthByFour } from './testing/cpu-time.ts';
import { findWords, maskFindings } from './testing/find-words.ts';
import { WordScanner } from './word-scanner.ts';

const folding = createFolding({ from: '詞賭館測試неɑηεł', to: '词赌馆测试heahel' });
const list = parseWordList(`
[mask]
hell
hello kitty
ass
shite
badword
kill bill
*stem
pre*
x9z
敏感词
敏感
赌馆
加V信
app下载
abab
babba
测
[refuse cards]
forbidden
禁止词语
`);
const masked = list.filter(({ action }) => action === 'mask');
const compile = (entries: readonly WordEntry[]) => readCompiledWords(compileWords(entries, folding));
const words = compile(masked);
const strict = compile(list);

function streamThrough(pieces: readonly string[], compiled = words): string[] {
  const stream = createMaskingStream(new WordScanner(compiled, folding), () => '***');
  return [...pieces.map((piece) => stream.push(piece)), stream.end()];
}
const filter = (text: string, compiled = words) => streamThrough([text], compiled).join('');
const plainly = (text: string) => maskFindings(text, findWords(text, masked, folding), '***');

describe('finds', () => {
  test.each([
    ['as it is', 'what the hell is', 'what the *** is'],
    ['in capitals', 'WHAT THE HeLL', 'WHAT THE ***'],
    ['full-width', 'ｈｅｌｌ！', '***！'],
    ['in mathematical letters', '𝐡𝐞𝐥𝐥 𝔥𝔢𝔩𝔩', '*** ***'],
    ['in circles and squares', 'ⓗⓔⓛⓛ 🅗🅔🅛🅛', '*** ***'],
    ['with unseen characters', 'h\u200be\u00adl\u2060l', '***'],
    ['with diacritics', 'h\u0301e\u0302l\u0335l hëłl', '*** ***'],
    ['with Cyrillic and Greek letters', 'неll ηεll', '*** ***'],
    ['with digits and signs', 'h3ll $h1te @ss sh!te', '*** *** *** ***'],
    ['with a 1 for an l', 'he1l', '***'],
    ['letter by letter', 'b-a-d-w-o-r-d, b a d w o r d, b.a.d.w.o.r.d', '***, ***, ***'],
    ['with signs in the middle', 'bad-word ba*dword', '*** ***'],
    ['in traditional characters', '敏感詞和賭館', '***和***'],
    ['in Chinese with spaces and signs', '敏 感 词，敏-感词，赌★馆', '***，***，***'],
    ['in Chinese, all characters apart', '敏。感。词', '***'],
    ['mixed', '请加 v 信', '请***'],
    ['two words, with and without the space', 'hello kitty hellokitty hello  kitty', '*** *** ***'],
    ['with a star', 'ecosystem, prefix', 'ecosy***, ***fix'],
    ['beside Chinese', '他说hell了', '他说***了'],
    ['overlapping as one', 'abababab', 'abababab'],
    ['neighbours one by one', '敏感敏感', '******'],
    ['eight signs between letters', `敏${'-'.repeat(8)}感词`, '***'],
    ['32 unseen characters between letters', `敏${'\u200b'.repeat(32)}感词`, '***'],
    ['one character', '预测性', '预***性'],
  ])('%s', (_, text, result) => {
    expect(plainly(text)).toBe(result);
    expect(filter(text)).toBe(result);
  });
});

describe('does not mask', () => {
  test.each([
    'a hello from a shell, in hellish classes of passengers',
    "he'll go; she'll stay; we'll see",
    'as side, the llama',
    'model a55, room 455, $5 and 1 h3110',
    'he ll',
    '他很敏。感冒了',
    '聚赌，馆藏',
    'x9zz 1x9z',
    'absence of a sister',
    `赌${'-'.repeat(9)}馆`,
    `赌${'\u200b'.repeat(33)}馆`,
  ])('%s', (text) => {
    expect(plainly(text)).toBe(text);
    expect(filter(text)).toBe(text);
  });
});

/** All ways to cut a text. */
function* cuts(text: string): Generator<string[]> {
  const places = text.length - 1;
  for (let bits = 0; bits < 2 ** places; bits++) {
    const pieces: string[] = [];
    let from = 0;
    for (let place = 0; place < places; place++) {
      if (!((bits >> place) & 1)) continue;
      pieces.push(text.slice(from, place + 1));
      from = place + 1;
    }
    yield [...pieces, text.slice(from)];
  }
}

const shortAnswers = [
  'oh hell no',
  'a hello kit',
  'h3ll $h1te',
  'xabababbay',
  '敏感 词，敏 感',
  'b-a-d-word-',
  '𝐡𝐞𝐥𝐥 ok',
  'ok forbidden',
  '看禁 止词语了',
  'hel\u200bl\u0301 sx',
  'an app 下载',
  '敏\ud83d感词\udc00',
];

describe('gives the same result however the answer is cut', () => {
  test.each(shortAnswers)('in every way: %s', (text) => {
    for (const compiled of [words, strict]) {
      const whole = filter(text, compiled);
      for (const pieces of cuts(text)) {
        const out = streamThrough(pieces, compiled).join('');
        if (out !== whole) expect({ pieces, out }).toEqual({ pieces, out: whole });
      }
    }
  });

  test('in random pieces of a long answer', () => {
    const random = seededRandom(20);
    const bits = [...shortAnswers, ' plain words that say little ', '一些没有什么意思的话', '. ', '3', '\n'];
    for (let turn = 0; turn < 300; turn++) {
      let text = '';
      while (text.length < 400) text += bits[random(bits.length)];
      const whole = filter(text);
      const strictWhole = filter(text, strict);
      expect(whole).toBe(plainly(text));
      const pieces: string[] = [];
      for (let at = 0; at < text.length; ) {
        const next = at + 1 + random(turn % 2 ? 4 : 40);
        pieces.push(text.slice(at, next));
        at = next;
      }
      expect(streamThrough(pieces).join('')).toBe(whole);
      expect(streamThrough(pieces, strict).join('')).toBe(strictWhole);
    }
  });
});

const alphabets = {
  letters: ['a', 'b', 'A', 'ɑ', '@', '-', ' ', '.', '\u200b', '4', '8', 'c', 'á', '，'],
  chinese: ['敏', '感', '词', '詞', ' ', '*', '。', '\n', 'v', '\ufe0f', '1'],
};
const wordOf = (letters: string[]) =>
  fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 5 });

test.each([
  ['letters', ['a', 'b', 'c', '4', ' '], alphabets.letters],
  ['Chinese', ['敏', '感', '词', 'v', ' '], alphabets.chinese],
])('any list over %s finds what the plain search finds, in any pieces', (_, wordLetters, textLetters) => {
  const entry = fc.tuple(fc.boolean(), wordOf(wordLetters), fc.boolean());
  const text = fc.string({ unit: fc.constantFrom(...textLetters), maxLength: 40 });
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 1, maxLength: 6 }),
      text,
      fc.array(fc.nat(40)),
      (list, said, at) => {
        const entries = list
          .map(([start, word, end]) => `${start ? '*' : ''}${word}${end ? '*' : ''}`)
          .filter((line) => [...foldText(line, folding)].filter(({ kind }) => kind <= 4).length > 1);
        const parsed = parseWordList(entries.join('\n'));
        // The compiler merges words with the same folding; the simple search does not.
        const keys = parsed.map(({ text }) => key(text));
        fc.pre(new Set(keys).size === keys.length);
        const compiled = compile(parsed);
        const pieces = [0, ...[...at].sort((a, b) => a - b), said.length];
        const out = streamThrough(
          pieces.slice(1).map((to, index) => said.slice(Math.min(pieces[index] as number, said.length), to)),
          compiled,
        ).join('');
        expect(out).toBe(maskFindings(said, findWords(said, parsed, folding), '***'));
      },
    ),
    { numRuns: 4000 },
  );
});

const key = (text: string) =>
  [...foldText(text, folding)].flatMap(({ symbol, kind }) => (kind <= 4 ? [symbol] : [])).join();

test('holds back only the beginning of a word', () => {
  const random = seededRandom(7);
  const bits = [...shortAnswers, ' class of hello shells ', '一些敏锐的话', 'kill ', 'b a d ', '! '];
  const keys = masked.map(({ text }) => key(text));
  let most = 0;
  for (let turn = 0; turn < 60; turn++) {
    const stream = createMaskingStream(new WordScanner(words, folding), () => '***');
    for (let step = 0; step < 20; step++) {
      for (const character of bits[random(bits.length)] as string) {
        stream.push(character);
        const held = stream.held();
        most = Math.max(most, held.length);
        if (held === '') continue;
        const readings = [held, leet(held, 'i'), leet(held, 'l')].map(key);
        const begins = readings.some((letters) => keys.some((word) => word.startsWith(letters)));
        if (!begins) expect(held).toBe('the beginning of a word');
      }
    }
  }
  expect(most).toBeGreaterThan(5);
});

function leet(text: string, one: string): string {
  const signs: Record<string, string> = {
    0: 'o',
    1: one,
    3: 'e',
    4: 'a',
    5: 's',
    7: 't',
    8: 'b',
    '@': 'a',
    $: 's',
    '!': one,
  };
  return [...text].map((character) => signs[character] ?? character).join('');
}

test('text without findings is released at once', () => {
  const out = streamThrough(['I ', 'think ', 'that ', 'can ', 'be ', 'done. ', 'hello ', 'k', 'en ']);
  expect(out).toEqual(['I ', 'think ', 'that ', 'can ', 'be ', 'done. ', '', '', 'hello ken ', '']);
});

test('a refusal releases the text before it and nothing after it', () => {
  const stream = createMaskingStream(new WordScanner(strict, folding), () => '***');
  expect(stream.push('what the hell is for')).toBe('what the *** is ');
  expect(stream.push('bidden, then?')).toBe('');
  expect(stream.refusal).toMatchObject({ label: 'cards', start: 17, end: 26 });
  expect(stream.push('more')).toBe('');
  expect(stream.end()).toBe('');
});

test('the held-back text is bounded for any input', () => {
  const stream = createMaskingStream(new WordScanner(words, folding), () => '***');
  let most = 0;
  for (let step = 0; step < 3000; step++) {
    stream.push(step % 200 === 0 ? 'b' : step % 3 ? '\u0301' : '-');
    most = Math.max(most, stream.held().length);
  }
  for (let step = 0; step < 3000; step++) {
    stream.push('\u200b');
    most = Math.max(most, stream.held().length);
  }
  expect(most).toBeLessThan(100);
});

test('a hostile text takes linear time', () => {
  const nested = compile(
    parseWordList(Array.from({ length: 40 }, (_, length) => 'a'.repeat(length + 2)).join('\n')),
  );
  for (const text of ['a-', 'a', '4', 'a        ', '@\u200b']) {
    const grown = growthByFour((size) => streamThrough([...text.repeat(size / text.length)], nested), 1250);
    expect(grown).toBeLessThan(8);
  }
}, 60_000);
