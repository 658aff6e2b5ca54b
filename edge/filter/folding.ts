/**
 * Folds characters to what they are read as, one code point at a time, so that a stream can be folded as it
 * comes. Owns a table that fills as characters are met; a table is shared by all scanners of an isolate.
 *
 * A code point is decomposed (NFKD, Unicode Standard Annex #15), its diacritics dropped, put in lower case, and
 * looked up in a table of look-alikes and traditional forms. Folding by code points comes to the same as folding the whole
 * text, since what the canonical order could move is dropped.
 */

/** What a folded character is to the search. */
export const unknownKind = 0;
/** Not seen by a reader: zero-width and control characters, diacritics, variation selectors. */
export const ignoredKind = 1;
/** A letter of a script that parts its words: a match begins and ends where its word does. */
export const letterKind = 2;
export const digitKind = 3;
/** A letter of a script that does not part its words: Han, kana, Hangul, Thai, ... */
export const freeLetterKind = 4;
/** A sign that can stand between letters without ending anything: `-`, `*`, an emoji. */
export const joinerKind = 5;
export const spaceKind = 6;
/** What ends a sentence, a clause or a line, and quotes and brackets. */
export const stopKind = 7;
/** No match reaches over it: an end that is set by whoever reads the text, never by the text. */
export const breakKind = 8;
/** Folds to more than one character, or to one past U+FFFF: see {@link Folding.several}. */
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
  /** Enters a code point and returns its kind. */
  resolve(codePoint: number): number;
  /** What a code point of {@link severalKind} folds to. */
  several(codePoint: number): readonly FoldedCharacter[];
}

/** Two texts of equal length in code points: each character of `from` is read as the one of `to` at its place. */
export interface CharacterTable {
  from: string;
  to: string;
}

/** Code points past U+FFFF that are remembered; any client can send all of them. */
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

/** The characters of a text as the search reads them. */
export function* foldText(text: string, folding: Folding): Generator<FoldedCharacter, void, void> {
  for (const character of text) {
    const codePoint = character.codePointAt(0) as number;
    let kind: number = codePoint > 0xffff ? severalKind : (folding.kinds[codePoint] as number);
    if (kind === unknownKind) kind = folding.resolve(codePoint);
    if (kind === severalKind) yield* folding.several(codePoint);
    else if (kind !== ignoredKind) yield { symbol: folding.symbols[codePoint] as number, kind };
  }
}

/** First code points of alphabets of 26 letters in signs that Unicode does not decompose. */
const signAlphabets = [0x1f150, 0x1f170, 0x1f1e6];

function decompose(codePoint: number): string {
  for (const first of signAlphabets) {
    if (codePoint >= first && codePoint < first + 26) return String.fromCodePoint(97 + codePoint - first);
  }
  return String.fromCodePoint(codePoint).normalize('NFKD');
}

const ignored = /\p{Default_Ignorable_Code_Point}|\p{Cc}/u;
/** Blocks of diacritics that any letter can carry; the vowel signs of scripts that have them are letters. */
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
  // An apostrophe joins words of their own ("he'll"); these signs do not.
  if (/[-*_~+=#^&%/\\·•@]/.test(character)) return joinerKind;
  if (/[\p{P}|`<>]/u.test(character)) return stopKind;
  return joinerKind;
}
