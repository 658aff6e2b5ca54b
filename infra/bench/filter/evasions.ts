/** Ways in which a word is written so that it is read and not found. Each takes a word and randomness. */
import type { CharacterTable } from '../../../edge/filter/folding.ts';

type Random = (bound: number) => number;
export type Evade = (word: string, random: Random) => string;

export interface EvasionClass {
  name: string;
  /** Whether the filter means to find it. */
  isMeant: boolean;
  /** For words in English, in Chinese, or both. */
  of: 'en' | 'zh' | 'both';
  evade: Evade;
}

const each = (word: string, change: (character: string, at: number) => string) =>
  [...word].map(change).join('');
const pick = <T>(list: readonly T[], random: Random): T => list[random(list.length)] as T;
const between = (signs: readonly string[]): Evade => {
  return (word, random) => {
    const sign = pick(signs, random);
    return each(word, (character, at) => (at === 0 ? character : `${sign}${character}`));
  };
};
const shift = (first: number) => (character: string) =>
  /[a-z]/.test(character) ? String.fromCodePoint(first + character.charCodeAt(0) - 97) : character;

const digitsOf: Readonly<Record<string, string>> = {
  o: '0',
  i: '1',
  l: '1',
  e: '3',
  a: '4',
  s: '5',
  t: '7',
  b: '8',
};
const signsOf: Readonly<Record<string, string>> = { a: '@', s: '$', i: '!' };

/** Replaces the first letter that can be, and each further one at a coin's toss. */
function replaceSome(word: string, table: Readonly<Record<string, string>>, random: Random): string {
  let replaced = 0;
  return each(word, (character) => {
    const other = table[character];
    if (other === undefined || (replaced > 0 && random(2) === 0) || replaced * 2 >= word.length - 1)
      return character;
    replaced++;
    return other;
  });
}

/** @param table the filter's own: the other way round it makes look-alikes and traditional texts */
// long: a table of evasions, one entry each
export function evasionClasses(table: CharacterTable): EvasionClass[] {
  const to = [...table.to];
  const similar = new Map<string, string[]>();
  for (const [at, character] of [...table.from].entries()) {
    const plain = to[at] as string;
    similar.set(plain, [...(similar.get(plain) ?? []), character]);
  }
  const alike = (character: string, random: Random) => pick(similar.get(character) ?? [character], random);
  return [
    { name: 'as it is', isMeant: true, of: 'both', evade: (word) => word },
    {
      name: 'capitals',
      isMeant: true,
      of: 'en',
      evade: (word, random) => each(word, (c) => (random(2) ? c.toUpperCase() : c)),
    },
    { name: 'full-width', isMeant: true, of: 'en', evade: (word) => each(word, shift(0xff41)) },
    {
      name: 'styled letters',
      isMeant: true,
      of: 'en',
      evade: (word, random) =>
        each(word, shift(pick([0x1d41a, 0x1d4ea, 0x1d586, 0x1d68a, 0x24d0, 0x1f170], random))),
    },
    {
      name: 'unseen characters',
      isMeant: true,
      of: 'both',
      evade: (word, random) =>
        each(word, (c) => c + pick(['\u200b', '\u2060', '\u00ad', '\ufe0f', ''], random)),
    },
    {
      name: 'diacritics',
      isMeant: true,
      of: 'en',
      evade: (word, random) =>
        each(word, (c) => c + String.fromCharCode(0x300 + random(0x30)).repeat(random(4))).normalize(
          random(2) ? 'NFC' : 'NFD',
        ),
    },
    {
      name: 'look-alike letters',
      isMeant: true,
      of: 'en',
      evade: (word, random) => each(word, (c) => (random(2) ? alike(c, random) : c)),
    },
    {
      name: 'digits for letters',
      isMeant: true,
      of: 'en',
      evade: (word, random) => replaceSome(word, digitsOf, random),
    },
    {
      name: 'signs for letters',
      isMeant: true,
      of: 'en',
      evade: (word, random) => replaceSome(word, signsOf, random),
    },
    {
      name: 'letter by letter',
      isMeant: true,
      of: 'en',
      evade: between([' ', '-', '.', '_', '*', ' - ', ', ', '\n']),
    },
    {
      name: 'one sign within',
      isMeant: true,
      of: 'en',
      evade: (word, random) => {
        const at = 1 + random(word.length - 1);
        return word.slice(0, at) + pick(['-', '*', '_', '~'], random) + word.slice(at);
      },
    },
    {
      name: 'traditional',
      isMeant: true,
      of: 'zh',
      evade: (word, random) => each(word, (c) => alike(c, random)),
    },
    {
      name: 'spaces and signs',
      isMeant: true,
      of: 'zh',
      evade: between([' ', '-', '*', '·', '  ', '★', '/', '😀']),
    },
    {
      // Words of two characters are not found over the end of a clause: "打赌，博物馆" is no casino.
      name: 'all apart',
      isMeant: true,
      of: 'zh',
      evade: between(['。', '，', '\n', '】', '!']),
    },
    {
      name: 'several at once',
      isMeant: true,
      of: 'both',
      evade: (word, random) =>
        each(word, (c, at) => {
          const other = random(2) ? alike(c, random) : c.toUpperCase();
          return `${at === 0 ? '' : pick(['-', '*', '_'], random)}${other}\u200b`;
        }),
    },
    {
      name: 'doubled letters',
      isMeant: false,
      of: 'en',
      evade: (word, random) => each(word, (c, at) => (at === 1 ? c.repeat(2 + random(2)) : c)),
    },
    {
      name: 'letters left out',
      isMeant: false,
      of: 'en',
      evade: (word) => word[0] + word.slice(1).replaceAll(/[aeiou]/g, '*'),
    },
    { name: 'backwards', isMeant: false, of: 'both', evade: (word) => [...word].reverse().join('') },
    { name: 'a letter between', isMeant: false, of: 'zh', evade: between(['a', '啊', '1']) },
  ];
}
