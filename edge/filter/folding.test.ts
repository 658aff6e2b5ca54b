import { expect, test } from 'vitest';
import {
  createFolding,
  digitKind,
  foldText,
  freeLetterKind,
  joinerKind,
  letterKind,
  spaceKind,
  stopKind,
} from './folding.ts';

const folding = createFolding({ from: 'ѕсоре詞賭𠵾', to: 'scope词赌㗲' });
const fold = (text: string) => [...foldText(text, folding)];
const textOf = (text: string) =>
  fold(text)
    .map(({ symbol }) => String.fromCodePoint(symbol))
    .join('');

test.each([
  ['ABC', 'abc'],
  ['ＡＢＣ１２３', 'abc123'],
  ['éèñ', 'een'],
  ['e\u0301\u0327', 'e'],
  ['ﬁ ㎏ ①⒜', 'fi kg 1(a)'],
  ['𝕳𝖊𝖑𝖑𝖔 🅷🄴🇱🅻🅾', 'hello hello'],
  ['ѕсоре', 'scope'],
  ['a\u200bb\u00adc\u{e0061}\ufe0f\u0007', 'abc'],
  ['賭詞𠵾', '赌词㗲'],
  ['⼈', '人'],
  ['が', 'か\u3099'],
])('%s is read as %s', (text, folded) => expect(textOf(text)).toBe(folded));

test.each([
  ['aаñ', letterKind],
  ['7٣', digitKind],
  ['词あア한ไ', freeLetterKind],
  ['-*~😀★_', joinerKind],
  [' \t\u3000', spaceKind],
  ['.,。，\n"“()|\'’', stopKind],
])('%s are of one kind', (text, kind) => {
  for (const character of fold(text)) expect(character).toMatchObject({ kind });
});

test('folding by code points equals folding the composed and the decomposed text', () => {
  for (const text of ['Ǽé̱ ﬀ½ ḍ̇', '한글 が ａ́', 'ﷺ 𝛼 ℌ']) {
    expect(textOf(text.normalize('NFC'))).toBe(textOf(text.normalize('NFD')));
    expect(textOf(text.normalize('NFKC'))).toBe(textOf(text));
  }
});

test('the memory for rare characters is bounded, and eviction does not change results', () => {
  const before = textOf('𝐡𝐢');
  for (let code = 0x20000; code < 0x22000; code++) textOf(String.fromCodePoint(code));
  expect(textOf('𝐡𝐢')).toBe(before);
});
