/**
 * Searches a text that arrives in pieces for the words of a list. Owns the automaton's state and a short history of
 * characters.
 *
 * Three readings run in parallel: the letters as they are, and two with digits and signs read as letters ("sh1t"). The
 * latter two start at such a character and run until they no longer differ. The automaton reads letters only; the gaps
 * between them are checked when a word is complete.
 */
import { type CompiledWords, nodeFlags, step } from './compiled-words.ts';
import {
  breakKind,
  digitKind,
  type Folding,
  freeLetterKind,
  ignoredKind,
  letterKind,
  severalKind,
  stopKind,
  unknownKind,
} from './folding.ts';
import { boundGapAllowed, freeGapAllowed, leetAllowed, MAX_GAP, MAX_IGNORED } from './gap-rules.ts';
import { leetReadings } from './leet-readings.ts';
import type { Finding, Scanner } from './scanner.ts';

/** Reads the letters as they are. Readings 1 and 2 are those of {@link leetReadings}. */
const plain = 0;
const readings = 3;

/** A word, or its beginning, in the text. */
interface Trace {
  /** Offset of the first letter. */
  start: number;
  /** Whether it begins at a word boundary of the text. */
  startsWord: boolean;
  /** The worst kind of gap next to letters of scripts that separate words, and of those that do not; 0 for none. */
  boundGap: number;
  freeGap: number;
  /** Pairs of adjacent letters with a gap, including gaps that the word itself contains. */
  gaps: number;
  /** How many digits, signs and letters it consists of. */
  digits: number;
  signs: number;
  letters: number;
}

export class WordScanner implements Scanner {
  readonly #words: CompiledWords;
  readonly #folding: Folding;
  readonly #mask: number;
  /** Ring buffers of the last characters, by {@link packCharacter}, and of their offsets. */
  readonly #characters: number[] = [];
  readonly #starts: number[] = [];
  #count = 0;
  /** The automaton's node for each reading. */
  readonly #nodes = new Array<number>(readings).fill(0);
  /** Characters since the last letter, in the plain reading and in the leet readings. */
  #plainGap = 0;
  #leetGap = 0;
  /** Whether the readings differ, and the letters since the last character on which they differ. */
  #isLeet = false;
  #sinceLeet = 0;
  #ignoredInRow = 0;
  #offset = 0;
  /** A high surrogate without its low surrogate so far. */
  #highSurrogate = '';
  #found: Finding[] = [];
  /** Reading stops after a refusing finding. */
  #isRefused = false;
  /** Words that are complete unless the next character continues them. */
  #pending: Finding[] = [];

  /** @param folding the one that the words were compiled with */
  constructor(words: CompiledWords, folding: Folding) {
    this.#words = words;
    this.#folding = folding;
    this.#mask = 2 ** Math.ceil(Math.log2((words.maxDepth + 1) * (MAX_GAP + 1) + 2)) - 1;
    this.#remember(0, breakKind, 0, 0);
  }

  read(piece: string): void {
    const text = this.#highSurrogate + piece;
    const base = this.#offset;
    let at = 0;
    this.#highSurrogate = '';
    while (at < text.length && !this.#isRefused) {
      let codePoint = text.charCodeAt(at);
      if ((codePoint & 0xfc00) === 0xd800) {
        if (at + 1 === text.length) {
          this.#highSurrogate = text.slice(at);
          break;
        }
        codePoint = text.codePointAt(at) as number;
      }
      const next = codePoint > 0xffff ? at + 2 : at + 1;
      this.#readCodePoint(codePoint, base + at, base + next);
      at = next;
    }
    this.#offset = base + at;
  }

  end(): void {
    if (this.#highSurrogate !== '') {
      this.#readCodePoint(this.#highSurrogate.charCodeAt(0), this.#offset, ++this.#offset);
      this.#highSurrogate = '';
    }
    this.#reset();
  }

  breakOff(): void {
    this.end();
    this.#remember(0, breakKind, this.#offset, this.#offset);
  }

  clearTo(): number {
    let clear = this.#offset;
    const { fail } = this.#words;
    for (let reading = 0; reading < (this.#isLeet ? readings : 1); reading++) {
      for (let node = this.#nodes[reading] as number; node !== 0; node = fail[node] as number) {
        const start = this.#liveStart(node, reading);
        if (start === undefined) continue;
        clear = Math.min(clear, start);
        break;
      }
    }
    return clear;
  }

  take(): Finding[] {
    if (this.#found.length === 0) return this.#found;
    const found = this.#found;
    this.#found = [];
    return found;
  }

  #readCodePoint(codePoint: number, start: number, end: number): void {
    const folding = this.#folding;
    let kind: number = codePoint > 0xffff ? severalKind : (folding.kinds[codePoint] as number);
    if (kind === unknownKind) kind = folding.resolve(codePoint);
    if (kind === severalKind) {
      const parts = folding.several(codePoint);
      for (const part of parts) this.#readCharacter(part.symbol, part.kind, start, end);
      if (parts.length > 0) return;
      kind = ignoredKind;
    }
    if (kind !== ignoredKind) this.#readCharacter(folding.symbols[codePoint] as number, kind, start, end);
    else if (++this.#ignoredInRow > MAX_IGNORED) this.#reset();
  }

  /** Drops incomplete words and keeps complete ones. */
  #reset(): void {
    this.#settle(stopKind);
    this.#nodes.fill(0);
    this.#isLeet = false;
  }

  #readCharacter(symbol: number, kind: number, start: number, end: number): void {
    if (this.#pending.length > 0) this.#settle(kind);
    this.#ignoredInRow = 0;
    this.#remember(symbol, kind, start, end);
    const nodes = this.#nodes;
    const isSign = standsForLetter(symbol);
    if (isSign && !this.#isLeet) {
      nodes.fill(nodes[plain] as number);
      this.#leetGap = this.#plainGap;
      this.#isLeet = true;
    }
    if (kind <= freeLetterKind) {
      this.#plainGap = 0;
      this.#advance(plain, symbol);
    } else if (++this.#plainGap > MAX_GAP) nodes[plain] = 0;
    if (this.#isLeet) this.#readAsLeet(symbol, kind, isSign);
  }

  #remember(symbol: number, kind: number, start: number, end: number): void {
    const place = this.#count++ & this.#mask;
    this.#characters[place] = packCharacter(symbol, kind, end - start);
    this.#starts[place] = start;
  }

  #readAsLeet(symbol: number, kind: number, isSign: boolean): void {
    const nodes = this.#nodes;
    if (isSign || kind <= freeLetterKind) {
      this.#leetGap = 0;
      this.#sinceLeet = isSign ? 0 : this.#sinceLeet + 1;
      this.#advance(1, isSign ? (leetReadings[0][symbol] as number) : symbol);
      this.#advance(2, isSign ? (leetReadings[1][symbol] as number) : symbol);
    } else if (++this.#leetGap > MAX_GAP) nodes.fill(0, 1);
    // The readings are equal again when no live match includes the last such character.
    const { depth } = this.#words;
    const since = this.#sinceLeet;
    this.#isLeet =
      (depth[nodes[0] as number] as number) > since ||
      (depth[nodes[1] as number] as number) > since ||
      (depth[nodes[2] as number] as number) > since;
  }

  #advance(reading: number, symbol: number): void {
    const words = this.#words;
    const code = symbol <= 0xffff ? (words.codes[symbol] as number) : (words.wideCodes.get(symbol) ?? 0);
    const reached = step(words, this.#nodes[reading] as number, code);
    this.#nodes[reading] = reached;
    for (let node = words.hit[reached] as number; node !== 0; ) {
      const word = this.#wholeWord(node, reading);
      if (word) {
        const waits = ((words.flags[node] as number) & nodeFlags.boundEnd) !== 0;
        if (waits) this.#pending.push(word);
        else this.#find(word);
      }
      node = words.hit[words.fail[node] as number] as number;
    }
  }

  /** Reports pending words, unless a letter or digit continues them. */
  #settle(kind: number): void {
    if (this.#pending.length === 0) return;
    if (kind !== letterKind && kind !== digitKind) for (const word of this.#pending) this.#find(word);
    this.#pending = [];
  }

  #find(word: Finding): void {
    this.#found.push(word);
    this.#isRefused ||= word.refuse;
  }

  #wholeWord(node: number, reading: number): Finding | undefined {
    const { depth, flags, breaks, labels, labelOf } = this.#words;
    const length = depth[node] as number;
    const own = flags[node] as number;
    const trace = this.#traceBack(node, reading, breaks.get(node) ?? 0n);
    if (!trace.startsWord && !(own & nodeFlags.wordFreeStart)) return undefined;
    const isSpacedOut = length > 2 && trace.gaps === length - 1;
    if (!boundGapAllowed(trace.boundGap, isSpacedOut, length)) return undefined;
    if (!freeGapAllowed(trace.freeGap, isSpacedOut)) return undefined;
    if (reading !== plain && !leetAllowed(trace)) return undefined;
    return {
      start: trace.start,
      end: this.#endOf((this.#count - 1) & this.#mask),
      label: labels[labelOf[node] as number] as string,
      refuse: (own & nodeFlags.refuse) !== 0,
    };
  }

  /** The start of a prefix that can still become a word. */
  #liveStart(node: number, reading: number): number | undefined {
    const { depth, flags, firstChild } = this.#words;
    const own = flags[node] as number;
    const gap = this.#gapAtEnd(reading);
    const isLeaf = firstChild[node] === firstChild[node + 1];
    if (isLeaf && (gap !== 0 || !(own & nodeFlags.boundEnd))) return undefined;
    const trace = this.#traceBack(node, reading, undefined);
    if (!trace.startsWord && !(own & nodeFlags.freeStart)) return undefined;
    let pairs = (depth[node] as number) - 1;
    if (gap !== 0) {
      pairs++;
      trace.gaps++;
      const isOwn = (own & nodeFlags.breakAfter) !== 0;
      const isFree = (own & (nodeFlags.freeSymbol | nodeFlags.freeChild)) !== 0;
      if (!isOwn && isFree) trace.freeGap = Math.max(trace.freeGap, gap);
      else if (!isOwn) trace.boundGap = Math.max(trace.boundGap, gap);
    }
    const isSpacedOut = trace.gaps === pairs;
    const lives =
      boundGapAllowed(trace.boundGap, isSpacedOut, Number.POSITIVE_INFINITY) &&
      freeGapAllowed(trace.freeGap, isSpacedOut);
    return lives ? trace.start : undefined;
  }

  #endOf(place: number): number {
    return (this.#starts[place] as number) + lengthOf(this.#characters[place] as number);
  }

  /** The worst kind of character after the last letter. */
  #gapAtEnd(reading: number): number {
    let worst = 0;
    for (let at = this.#count - 1; ; at--) {
      const character = this.#characters[at & this.#mask] as number;
      if (isLetter(character, reading)) return worst;
      worst = Math.max(worst, kindOf(character));
    }
  }

  /**
   * Walks back from the last letter over as many letters as the depth of the node.
   * @param ownBreaks the gaps that the word itself contains; `undefined`: those of any word with this prefix
   */
  #traceBack(last: number, reading: number, ownBreaks: bigint | undefined): Trace {
    const { parent, depth, flags } = this.#words;
    const trace: Trace = {
      start: 0,
      startsWord: false,
      boundGap: 0,
      freeGap: 0,
      gaps: 0,
      digits: 0,
      signs: 0,
      letters: 0,
    };
    let node = last;
    /** The letter after the current one: its node, and whether its script does not separate words. */
    let after = 0;
    let isFreeAfter = false;
    let gap = 0;
    let at = this.#count - 1;
    for (let left = depth[last] as number; left > 0; at--) {
      const character = this.#characters[at & this.#mask] as number;
      const kind = kindOf(character);
      if (!isLetter(character, reading)) {
        if (after !== 0) gap = Math.max(gap, kind);
        continue;
      }
      const isFree = kind === freeLetterKind;
      if (gap !== 0) {
        trace.gaps++;
        const isOwn =
          ownBreaks === undefined
            ? ((flags[after] as number) & nodeFlags.breakBefore) !== 0
            : ((ownBreaks >> BigInt(left)) & 1n) !== 0n;
        if (!isOwn && (isFree || isFreeAfter)) trace.freeGap = Math.max(trace.freeGap, gap);
        else if (!isOwn) trace.boundGap = Math.max(trace.boundGap, gap);
        gap = 0;
      }
      if (reading === plain || !standsForLetter(symbolOf(character))) trace.letters++;
      else if (kind === digitKind) trace.digits++;
      else trace.signs++;
      after = node;
      isFreeAfter = isFree;
      node = parent[node] as number;
      left--;
    }
    trace.start = this.#starts[(at + 1) & this.#mask] as number;
    const before = kindOf(this.#characters[at & this.#mask] as number);
    trace.startsWord = before !== letterKind && before !== digitKind;
    return trace;
  }
}

/** A character as one number: its symbol, its length in code units (1 or 2), and its kind. */
function packCharacter(symbol: number, kind: number, length: number): number {
  return (symbol << 6) | (length << 4) | kind;
}

const symbolOf = (character: number): number => character >> 6;
const lengthOf = (character: number): number => (character >> 4) & 3;
const kindOf = (character: number): number => character & 15;

function isLetter(character: number, reading: number): boolean {
  return kindOf(character) <= freeLetterKind || (reading !== plain && standsForLetter(symbolOf(character)));
}

/** Whether the leet readings read this character as a letter. */
function standsForLetter(symbol: number): boolean {
  return symbol < 128 && leetReadings[0][symbol] !== 0;
}
