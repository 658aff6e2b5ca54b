/**
 * Folds characters to the form that a reader sees, one code point at a time, so that a stream can be folded piece by
 * piece. Owns a table that grows with the characters it meets; all scanners of an isolate share it.
 *
 * A code point is decomposed (NFKD, Unicode Standard Annex #15), stripped of diacritics, converted to lower case, and
 * looked up in a table of look-alikes and traditional forms. Folding by code points equals folding the whole text, since
 * the characters that canonical ordering could move are dropped.
 */

/** Kinds of folded characters. */
export const unknownKind = 0;
/** Invisible: zero-width and control characters, diacritics, variation selectors. */
export const ignoredKind = 1;
/** A letter of a script that separates words: a match begins and ends at a word boundary. */
export const letterKind = 2;
export const digitKind = 3;
/** A letter of a script that does not separate words: Han, kana, Hangul, Thai, ... */
export const freeLetterKind = 4;
/** A sign that does not end a match between letters: `-`, `*`, an emoji. */
export const joinerKind = 5;
export const spaceKind = 6;
/** The end of a sentence, a clause or a line; also quotes and brackets. */
export const stopKind = 7;
/** No match spans it: a break that the scanner's caller sets; no character of a text has this kind. */
export const breakKind = 8;
/** Folds to several characters, or to one above U+FFFF; see {@link Folding.several}. */
export const severalKind = 9;

export interface FoldedCharacter {
  /** Code point. */
  symbol: number;
  kind: number;
}

export interface Folding {
  /** By UTF-16 code unit; {@link unknownKind} until {@link resolve} was called for it. */
  readonly kinds: Uint8Array;
  readonly symbols: Uint16Array;
  /** Adds a code point to the table and returns its kind. */
  resolve(codePoint: number): number;
  /** What a code point of {@link severalKind} folds to. */
  several(codePoint: number): readonly FoldedCharacter[];
}

/** Two texts of equal length in code points: each character of `from` folds to the one at the same position of `to`. */
export interface CharacterTable {
  from: string;
  to: string;
}

/** Most code points above U+FFFF in memory; a client could send all of them. */
const MAX_WIDE = 4096;

/** @param table Look-alikes -> letters, traditional characters -> simplified ones; see `infra/local/filter-assets.ts` */
export function createFolding(table: CharacterTable = { from: '', to: '' }): Folding {
  const kinds = new Uint8Array(0x10000);
  const symbols = new Uint16Array(0x10000);
  const wide = new Map<number, readonly FoldedCharacter[]>();
  const to = [...table.to];
  const readAs = new Map([...table.from].map((character, at) => [character, to[at] ?? character]));

  function fold(codePoint: number): readonly FoldedCharacter[] {
    const folded: FoldedCharacter[] = [];
    for (const part of decompose(codePoint)) {
      const lower = part.toLowerCase();
      const character = readAs.get(lower) ?? lower;
      const symbol = character.codePointAt(0) ?? codePoint;
      const kind = kindOf(character);
      if (kind !== ignoredKind) folded.push({ symbol, kind });
    }
    return folded;
  }

  return {
    kinds,
    symbols,
    resolve(codePoint) {
      const folded = fold(codePoint);
      const [only] = folded;
      if (codePoint > 0xffff) {
        if (wide.size >= MAX_WIDE) wide.clear();
        wide.set(codePoint, folded);
        return severalKind;
      }
      let kind = severalKind;
      if (!only) kind = ignoredKind;
      else if (folded.length === 1 && only.symbol <= 0xffff) {
        kind = only.kind;
        symbols[codePoint] = only.symbol;
      } else wide.set(codePoint, folded);
      kinds[codePoint] = kind;
      return kind;
    },
    several(codePoint) {
      const known = wide.get(codePoint);
      if (known) return known;
      const folded = fold(codePoint);
      if (wide.size >= MAX_WIDE) wide.clear();
      wide.set(codePoint, folded);
      return folded;
    },
  };
}

/** The folded characters of a text. */
export function* foldText(text: string, folding: Folding): Generator<FoldedCharacter, void, void> {
  for (const character of text) {
    const codePoint = character.codePointAt(0) as number;
    let kind: number = codePoint > 0xffff ? severalKind : (folding.kinds[codePoint] as number);
    if (kind === unknownKind) kind = folding.resolve(codePoint);
    if (kind === severalKind) yield* folding.several(codePoint);
    else if (kind !== ignoredKind) yield { symbol: folding.symbols[codePoint] as number, kind };
  }
}

/** First code points of 26-letter alphabets that Unicode does not decompose. */
const signAlphabets = [0x1f150, 0x1f170, 0x1f1e6];

function decompose(codePoint: number): string {
  for (const first of signAlphabets) {
    if (codePoint >= first && codePoint < first + 26) return String.fromCodePoint(97 + codePoint - first);
  }
  return String.fromCodePoint(codePoint).normalize('NFKD');
}

const ignored = /\p{Default_Ignorable_Code_Point}|\p{Cc}/u;
/** Blocks of diacritics for any letter; vowel signs of a script count as letters instead. */
const diacritics: readonly [first: number, last: number][] = [
  [0x0300, 0x036f],
  [0x0483, 0x0489],
  [0x1ab0, 0x1aff],
  [0x1dc0, 0x1dff],
  [0x20d0, 0x20ff],
  [0xfe20, 0xfe2f],
];
const free =
  /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Bopo}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}]/u;

function kindOf(character: string): number {
  if (/[\n\r\u0085\u2028\u2029]/.test(character)) return stopKind;
  if (character === '\t') return spaceKind;
  const code = character.codePointAt(0) ?? 0;
  if (ignored.test(character) || diacritics.some(([first, last]) => code >= first && code <= last))
    return ignoredKind;
  if (/\p{Nd}/u.test(character)) return digitKind;
  if (/[\p{L}\p{M}\p{N}]/u.test(character)) return free.test(character) ? freeLetterKind : letterKind;
  if (/\p{Z}/u.test(character)) return spaceKind;
  // An apostrophe joins separate words ("he'll"); these signs do not.
  if (/[-*_~+=#^&%/\\·•@]/.test(character)) return joinerKind;
  if (/[\p{P}|`<>]/u.test(character)) return stopKind;
  return joinerKind;
}
