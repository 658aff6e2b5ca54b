/**
 * Scans the strings of a JSON document that arrives in pieces, such as the arguments of a tool call. Escapes are decoded,
 * and no finding spans two strings. Owns the map from offsets of the decoded text to offsets of the document.
 */
import type { Finding, Scanner } from './scanner.ts';

/** From `at` on, each code unit of the text is `width` code units of the document, the first one at `rawAt`. */
interface Stretch {
  at: number;
  rawAt: number;
  width: number;
}

const simpleEscapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

export class JsonScanner implements Scanner {
  readonly #inner: Scanner;
  #stretches: Stretch[] = [];
  /** Lengths so far: of the decoded text, and of the decoded part of the document. */
  #length = 0;
  #rawLength = 0;
  #isInString = false;
  /** An incomplete escape. */
  #escape = '';

  constructor(inner: Scanner) {
    this.#inner = inner;
  }

  read(piece: string): void {
    const raw = this.#escape + piece;
    this.#escape = '';
    let at = 0;
    while (at < raw.length) {
      const character = raw[at] as string;
      if (this.#isInString && character === '\\') {
        const written = raw.slice(at, at + 6);
        if (/^\\(?:u[\da-fA-F]{0,3})?$/.test(written) && at + written.length === raw.length) {
          this.#escape = written;
          return;
        }
        const { text, width } = readEscape(written);
        this.#give(text, width);
        at += width;
      } else if (character === '"' || (!this.#isInString && '{}[]:,'.includes(character))) {
        if (character === '"') this.#isInString = !this.#isInString;
        this.#inner.breakOff();
        this.#rawLength++;
        at++;
      } else {
        const plain = this.#isInString ? /["\\]/g : /["{}[\]:,]/g;
        plain.lastIndex = at;
        const end = plain.exec(raw)?.index ?? raw.length;
        this.#give(raw.slice(at, end), 1);
        at = end;
      }
    }
  }

  end(): void {
    if (this.#escape !== '') this.#give(this.#escape, 1);
    this.#escape = '';
    this.#inner.end();
  }

  breakOff(): void {
    this.end();
    this.#inner.breakOff();
  }

  clearTo(): number {
    const clear = this.#inner.clearTo();
    if (clear >= this.#length) {
      this.#stretches = [];
      return this.#rawLength;
    }
    const first = this.#stretches.findLastIndex(({ at }) => at <= clear);
    if (first > 0) this.#stretches = this.#stretches.slice(first);
    return this.#toRaw(clear);
  }

  take(): Finding[] {
    return this.#inner.take().map((finding) => {
      const last = this.#stretchOf(finding.end - 1);
      return {
        ...finding,
        start: this.#toRaw(finding.start),
        end: this.#toRaw(finding.end - 1) + last.width,
      };
    });
  }

  #give(text: string, width: number): void {
    if (this.#stretches.at(-1)?.width !== 1 || width !== 1 || this.#rawLength !== this.#toRaw(this.#length))
      this.#stretches.push({ at: this.#length, rawAt: this.#rawLength, width });
    this.#length += text.length;
    this.#rawLength += text.length * width;
    this.#inner.read(text);
  }

  #toRaw(at: number): number {
    const stretch = this.#stretchOf(at);
    return stretch.rawAt + (at - stretch.at) * stretch.width;
  }

  #stretchOf(offset: number): Stretch {
    return this.#stretches.findLast(({ at }) => at <= offset) ?? { at: 0, rawAt: 0, width: 1 };
  }
}

/** The character of the escape at the beginning, and the escape's length; an invalid one yields its backslash. */
function readEscape(written: string): { text: string; width: number } {
  const name = written[1] as string;
  if (name !== 'u') return { text: simpleEscapes[name] ?? name, width: 2 };
  if (!/^\\u[\da-fA-F]{4}$/.test(written)) return { text: '\\', width: 1 };
  return { text: String.fromCharCode(Number.parseInt(written.slice(2), 16)), width: 6 };
}
