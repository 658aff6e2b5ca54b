/**
 * Passes a text through a scanner piece by piece: releases text that can no longer be part of a finding, and replaces
 * findings by a mask. Owns only the held-back text.
 */
import type { Finding, Scanner } from './scanner.ts';

export interface TextStream {
  /** @returns the released text; all pieces together give the same result however the text is cut */
  push(text: string): string;
  /** Ends the text. @returns the rest */
  end(): string;
  /** The held-back text, unmasked. */
  held(): string;
  /** The finding that refuses the text; nothing is released after it. */
  readonly refusal: Finding | undefined;
  /** Number of masked findings. */
  readonly masked: number;
}

/** Starts a new text. `json`: a JSON document whose strings are scanned. */
export type OpenStream = (form: 'text' | 'json') => TextStream;

/** @param maskOf the text that replaces a finding; overlapping findings get the mask of the first one */
export function createMaskingStream(scanner: Scanner, maskOf: (label: string) => string): TextStream {
  /** Input from offset `base` on that is neither released nor masked. */
  let text = '';
  let base = 0;
  /** Input before this offset belongs to a finding whose mask is released. */
  let maskedTo = 0;
  let findings: Finding[] = [];
  let refusal: Finding | undefined;
  let masked = 0;

  function release(isEnd: boolean): string {
    const found = scanner.take();
    if (found.length > 0) {
      refusal = found.find(({ refuse }) => refuse);
      const masks = refusal ? found.slice(0, found.indexOf(refusal)) : found;
      findings = [...findings, ...masks].sort((a, b) => a.start - b.start || b.end - a.end);
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

  /** Removes the text before an offset. @returns it without masked parts */
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
