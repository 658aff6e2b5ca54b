/**
 * A text that passes a scanner piece by piece: what can no longer become part of a finding goes out, findings
 * are replaced by a mask. Owns the text that is held back, and nothing else.
 */
import type { Finding, Scanner } from './scanner.ts';

export interface TextStream {
  /** @returns what may go out by now, which does not depend on how the text was cut into pieces */
  push(text: string): string;
  /** The text is at its end. @returns the rest */
  end(): string;
  /** What is held back, as it came. */
  held(): string;
  /** What the text may not go on with: nothing after it goes out. */
  readonly refusal: Finding | undefined;
  /** Places that were masked. */
  readonly masked: number;
}

/** Begins a text of its own. `json`: a JSON document whose strings are looked at. */
export type OpenStream = (form: 'text' | 'json') => TextStream;

/** @param maskOf What stands in place of a finding; of those that overlap, the first one's. */
export function createMaskingStream(scanner: Scanner, maskOf: (label: string) => string): TextStream {
  /** What came from offset `base` on and has neither gone out nor been masked. */
  let text = '';
  let base = 0;
  /** Up to here, what comes belongs to a finding whose mask has gone out. */
  let maskedTo = 0;
  let findings: Finding[] = [];
  let refusal: Finding | undefined;
  let masked = 0;

  function release(isEnd: boolean): string {
    const found = scanner.take();
    if (found.length > 0) {
      refusal = found.find(({ refuse }) => refuse);
      const known = refusal ? found.slice(0, found.indexOf(refusal)) : found;
      findings = [...findings, ...known].sort((a, b) => a.start - b.start || b.end - a.end);
    }
    const clear = isEnd ? base + text.length : scanner.clearTo();
    const to = refusal ? Math.min(clear, refusal.start) : clear;
    let out = '';
    let done = 0;
    for (; done < findings.length; done++) {
      const { start, end, label } = findings[done] as Finding;
      if (start >= to) break;
      if (start >= maskedTo) {
        out += cut(start) + maskOf(label);
        masked++;
      }
      maskedTo = Math.max(maskedTo, end);
    }
    if (done > 0) findings = findings.slice(done);
    return out + cut(to);
  }

  /** Takes the text up to an offset, without what is masked. */
  function cut(to: number): string {
    if (to <= base) return '';
    const piece = text.slice(Math.max(0, maskedTo - base), to - base);
    text = text.slice(to - base);
    base = to;
    return piece;
  }

  return {
    push(piece) {
      if (refusal) return '';
      text += piece;
      scanner.read(piece);
      return release(false);
    },
    end() {
      if (refusal) return '';
      scanner.end();
      return release(true);
    },
    held: () => text.slice(Math.max(0, maskedTo - base)),
    get refusal() {
      return refusal;
    },
    get masked() {
      return masked;
    },
  };
}
