/**
 * Searches for personal data and secrets in a text that arrives in pieces. Owns the current run of characters: letters,
 * digits and the signs of addresses and keys, with single spaces and brackets between digits. A finding lies within one
 * run, so a run is held back until it ends and is then searched.
 */
import { findPersonalData, type PersonalDataLabel, privateKeyHead } from './personal-data.ts';
import type { Finding, Scanner } from './scanner.ts';

/** Longest held-back run, in visible characters and in code units including invisible ones. */
export const MAX_RUN = 512;
const MAX_RUN_UNITS = 2 * MAX_RUN;
/** Most spaces and brackets in a row within a number. */
const MAX_GLUE = 2;
/** Length of the shortest possible finding. */
const MIN_RUN = 6;
/** Longest private key that is masked completely, in code units. */
const MAX_PRIVATE_KEY = 16_384;

const ended = 0;
const ignored = 1;

type Mode =
  /** Runs are collected and searched. */
  | 'gather'
  /** The rest of a run that is too long is skipped. */
  | 'pass'
  /** The rest of the run belongs to a secret. */
  | 'key'
  /** Everything up to its end line belongs to a private key. */
  | 'private-key';

export class PersonalDataScanner implements Scanner {
  readonly #labels: ReadonlySet<PersonalDataLabel>;
  #mode: Mode = 'gather';
  /** The run in ASCII, and the offset of each of its characters. */
  #run = '';
  #places: number[] = [];
  /** Spaces and brackets at the end of the run. */
  #glue = 0;
  #offset = 0;
  #found: Finding[] = [];
  /** Start of the current secret. */
  #keyStart = 0;
  /** The last characters of a private key. */
  #keyTail = '';

  constructor(labels: ReadonlySet<PersonalDataLabel>) {
    this.#labels = labels;
  }

  read(text: string): void {
    for (let at = 0; at < text.length; at++, this.#offset++) {
      const code = toAscii(text.charCodeAt(at));
      if (this.#mode === 'private-key') this.#readPrivateKey(code, this.#offset);
      else if (code !== ignored) this.#readCharacter(code);
      if (this.#places.length >= MAX_RUN || this.#offset - (this.#places[0] ?? this.#offset) > MAX_RUN_UNITS)
        this.#cutRun();
    }
    if (this.#mode === 'key' || this.#mode === 'private-key') this.#findKey();
  }

  end(): void {
    this.#judge();
    if (this.#mode === 'key' || this.#mode === 'private-key') this.#findKey();
    this.#mode = 'gather';
  }

  breakOff(): void {
    this.end();
  }

  clearTo(): number {
    return this.#places[0] ?? this.#offset;
  }

  take(): Finding[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }

  #readCharacter(code: number): void {
    if (this.#mode !== 'gather') {
      if (isToken(code)) return;
      if (this.#mode === 'key') this.#findKey();
      this.#mode = 'gather';
    }
    if (isToken(code)) {
      if (this.#glue > 0 && !isDigit(code)) this.#judge();
      this.#glue = 0;
      this.#add(code);
    } else if (code === space || code === openBracket || code === closeBracket) this.#readGlue(code);
    else this.#judge();
  }

  #readGlue(code: number): void {
    if (this.#run.startsWith('-----BEGIN')) {
      this.#add(code);
      return;
    }
    const afterDigit = this.#glue > 0 || isDigit(this.#run.charCodeAt(this.#run.length - 1));
    if (!afterDigit || this.#glue === MAX_GLUE) this.#judge();
    if (this.#run === '' && code !== openBracket) return;
    this.#glue++;
    this.#add(code);
  }

  #add(code: number): void {
    this.#run += String.fromCharCode(code);
    this.#places.push(this.#offset);
  }

  /** Ends the run. */
  #judge(): void {
    const data = this.#run.length < MIN_RUN ? [] : findPersonalData(this.#run);
    for (const { label, start, end } of data) {
      if (!this.#labels.has(label)) continue;
      const from = this.#places[start] as number;
      this.#found.push({ start: from, end: (this.#places[end - 1] as number) + 1, label, refuse: false });
      if (label !== 'secret' || !privateKeyHead().test(this.#run.slice(start, end))) continue;
      // Everything up to the end line is the private key.
      const rest = this.#places.slice(end).map((place, index) => [place, this.#run.charCodeAt(end + index)]);
      this.#run = '';
      this.#mode = 'private-key';
      this.#keyStart = from;
      this.#keyTail = '';
      for (const [place, code] of rest) this.#readPrivateKey(code as number, place as number);
      break;
    }
    this.#run = '';
    this.#places = [];
    this.#glue = 0;
  }

  /** The run is too long to be held back: it is searched now, and the new mode handles its rest. */
  #cutRun(): void {
    const next = this.#offset + 1;
    this.#judge();
    if (this.#mode === 'private-key') return;
    const key = this.#found.findLast(({ label, end }) => label === 'secret' && end === next);
    this.#mode = key ? 'key' : 'pass';
    if (key) this.#keyStart = key.start;
  }

  #readPrivateKey(code: number, place: number): void {
    if (this.#mode !== 'private-key') return;
    this.#keyTail = (this.#keyTail + String.fromCharCode(code)).slice(-64);
    const isOver = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----$/.test(this.#keyTail);
    if (!isOver && place - this.#keyStart < MAX_PRIVATE_KEY) return;
    this.#found.push({ start: this.#keyStart, end: place + 1, label: 'secret', refuse: false });
    this.#mode = 'gather';
  }

  /** Reports the part of the key read so far. */
  #findKey(): void {
    this.#found.push({ start: this.#keyStart, end: this.#offset, label: 'secret', refuse: false });
  }
}

const space = 0x20;
const openBracket = 0x28;
const closeBracket = 0x29;

/** The ASCII form of a character, if it has one; {@link ended} for a character that ends a run. */
function toAscii(unit: number): number {
  const code = unit >= 0xff01 && unit <= 0xff5e ? unit - 0xfee0 : unit;
  if (code === 0xa0 || code === 0x3000) return 0x20;
  if (code === 0xad || code === 0xfeff || (code >= 0x200b && code <= 0x200f) || code === 0x2060)
    return ignored;
  return code > 0x20 && code < 0x7f ? code : code === 0x20 ? code : ended;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

const tokenSigns = new Set([...'._%+-@~=/'].map((sign) => sign.charCodeAt(0)));

/** Letters, digits and the signs in addresses, numbers and keys. */
function isToken(code: number): boolean {
  return (
    isDigit(code) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || tokenSigns.has(code)
  );
}
