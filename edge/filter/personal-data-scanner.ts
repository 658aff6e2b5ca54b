/**
 * Looks for personal data and secrets in a text that comes in pieces. Owns the run of characters that is read
 * now: letters, digits and the signs of addresses and keys, with single spaces and brackets between digits. What
 * is looked for lies within one run, so a run is judged when it is over, and held back until then.
 */
import { findPersonalData, type PersonalDataLabel, privateKeyHead } from './personal-data.ts';
import type { Finding, Scanner } from './scanner.ts';

/** Longest run that is held back, in characters read and in code units with unseen ones. */
export const MAX_RUN = 512;
const MAX_RUN_UNITS = 2 * MAX_RUN;
/** Spaces and brackets in a row within a number. */
const MAX_GLUE = 2;
/** Nothing that is looked for is shorter. */
const MIN_RUN = 6;
/** Longest private key that is masked whole, in code units. */
const MAX_PRIVATE_KEY = 16_384;

const ended = 0;
const ignored = 1;

type Mode =
  /** Runs are gathered and judged. */
  | 'gather'
  /** The rest of a run that is too long to be judged goes by. */
  | 'pass'
  /** The rest of a run that is a key belongs to it. */
  | 'key'
  /** Everything to the end line of a private key belongs to it. */
  | 'private-key';

export class PersonalDataScanner implements Scanner {
  readonly #labels: ReadonlySet<PersonalDataLabel>;
  #mode: Mode = 'gather';
  /** The run in ASCII, and for each of its characters where it stood. */
  #run = '';
  #places: number[] = [];
  /** Spaces and brackets at the end of the run. */
  #glue = 0;
  #offset = 0;
  #found: Finding[] = [];
  /** Where the key began that goes on. */
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

  /** The run is over. */
  #judge(): void {
    const data = this.#run.length < MIN_RUN ? [] : findPersonalData(this.#run);
    for (const { label, start, end } of data) {
      if (!this.#labels.has(label)) continue;
      const from = this.#places[start] as number;
      this.#found.push({ start: from, end: (this.#places[end - 1] as number) + 1, label, refuse: false });
      if (label !== 'secret' || !privateKeyHead().test(this.#run.slice(start, end))) continue;
      // Everything from here on is the key, to its end line.
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

  /** The run has become too long to be held back: it is judged as it stands, and its rest follows. */
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

  /** What of the key is in by now. */
  #findKey(): void {
    this.#found.push({ start: this.#keyStart, end: this.#offset, label: 'secret', refuse: false });
  }
}

const space = 0x20;
const openBracket = 0x28;
const closeBracket = 0x29;

/** A character as ASCII where it has such a form; {@link ended} where no run goes on over it. */
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

/** Letters, digits and the signs within addresses, numbers and keys. */
function isToken(code: number): boolean {
  return (
    isDigit(code) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || tokenSigns.has(code)
  );
}
