/**
 * A slow and simple implementation of the filter's rules: tries every word at every position of the text. Shares only the
 * folding of characters, the gap rules and the leet tables with the automaton.
 */

import type { WordEntry } from '../../../infra/local/word-lists/word-list.ts';
import { createFolding, digitKind, type Folding, foldText, freeLetterKind, letterKind } from '../folding.ts';
import { boundGapAllowed, freeGapAllowed, leetAllowed, MAX_GAP, MAX_IGNORED } from '../gap-rules.ts';
import { leetReadings } from '../leet-readings.ts';
import type { Finding } from '../scanner.ts';

interface Place {
  symbol: number;
  kind: number;
  start: number;
  end: number;
  /** Invisible characters directly before it. */
  ignored: number;
}

const partsWords = (kind: number | undefined) => kind === letterKind || kind === digitKind;

/** All matches of the list's words, in the order of their starts. */
export function findWords(text: string, entries: readonly WordEntry[], folding = createFolding()): Finding[] {
  const places = placesOf(text, folding);
  const found: Finding[] = [];
  for (const entry of entries) {
    const { symbols, breaks } = lettersOf(entry, folding);
    for (let from = 0; from < places.length; from++) {
      for (let reading = 0; reading < 3; reading++) {
        const end = matchAt({ places, from, reading, symbols, breaks, entry });
        if (end === undefined) continue;
        found.push({
          start: (places[from] as Place).start,
          end: (places[end] as Place).end,
          label: entry.label,
          refuse: entry.action === 'refuse',
        });
      }
    }
  }
  return found.sort((a, b) => a.start - b.start || b.end - a.end);
}

/** The text with every finding replaced; overlapping findings count as one. */
export function maskFindings(text: string, findings: readonly Finding[], mask: string): string {
  let out = '';
  let at = 0;
  for (const { start, end } of findings) {
    if (start >= at) out += text.slice(at, start) + mask;
    at = Math.max(at, end);
  }
  return out + text.slice(at);
}

function placesOf(text: string, folding: Folding): Place[] {
  const places: Place[] = [];
  let at = 0;
  let ignored = 0;
  for (const character of text) {
    const folded = [...foldText(character, folding)];
    for (const { symbol, kind } of folded) {
      places.push({ symbol, kind, start: at, end: at + character.length, ignored });
      ignored = 0;
    }
    if (folded.length === 0) ignored++;
    at += character.length;
  }
  return places;
}

function lettersOf(entry: WordEntry, folding: Folding): { symbols: number[]; breaks: Set<number> } {
  const symbols: number[] = [];
  const breaks = new Set<number>();
  let isBreak = false;
  for (const { symbol, kind } of foldText(entry.text, folding)) {
    if (kind > freeLetterKind) isBreak = true;
    else {
      if (isBreak && symbols.length > 0) breaks.add(symbols.length);
      isBreak = false;
      symbols.push(symbol);
    }
  }
  return { symbols, breaks };
}

interface Attempt {
  places: readonly Place[];
  from: number;
  reading: number;
  symbols: readonly number[];
  breaks: ReadonlySet<number>;
  entry: WordEntry;
}

/** @returns the index of the last letter when the word is at `from` */
function matchAt({ places, from, reading, symbols, breaks, entry }: Attempt): number | undefined {
  const readAs = ({ symbol, kind }: Place): number | undefined => {
    const leet = reading > 0 && symbol < 128 ? leetReadings[reading - 1]?.[symbol] : 0;
    if (leet) return leet;
    return kind <= freeLetterKind ? symbol : undefined;
  };
  const at: number[] = [];
  for (let place = from, gap = 0; at.length < symbols.length; place++) {
    const here = places[place];
    if (!here || (place > from && here.ignored > MAX_IGNORED)) return undefined;
    const symbol = readAs(here);
    if (symbol === undefined) {
      if (place === from || ++gap > MAX_GAP) return undefined;
      continue;
    }
    if (symbol !== symbols[at.length]) return undefined;
    gap = 0;
    at.push(place);
  }
  const end = at.at(-1) as number;
  const first = places[from] as Place;
  const last = places[end] as Place;
  const isBoundStart = reading > 0 && first.kind > freeLetterKind ? true : first.kind !== freeLetterKind;
  if (isBoundStart && !entry.freeStart && partsWords(places[from - 1]?.kind)) return undefined;
  const next = places[end + 1];
  const isBoundEnd = last.kind !== freeLetterKind && !entry.freeEnd;
  if (isBoundEnd && next && next.ignored <= MAX_IGNORED && partsWords(next.kind)) return undefined;
  return gapsAllowed({ places, at, breaks }) && (reading === 0 || madeAllowed(places, at)) ? end : undefined;
}

function gapsAllowed({
  places,
  at,
  breaks,
}: {
  places: readonly Place[];
  at: number[];
  breaks: ReadonlySet<number>;
}) {
  let bound = 0;
  let free = 0;
  let gaps = 0;
  for (let index = 1; index < at.length; index++) {
    const before = at[index - 1] as number;
    const after = at[index] as number;
    const between = places.slice(before + 1, after);
    if (between.length === 0) continue;
    gaps++;
    if (breaks.has(index)) continue;
    const worst = Math.max(...between.map(({ kind }) => kind));
    const isFree = [before, after].some((place) => places[place]?.kind === freeLetterKind);
    if (isFree) free = Math.max(free, worst);
    else bound = Math.max(bound, worst);
  }
  const isSpacedOut = at.length > 2 && gaps === at.length - 1;
  return boundGapAllowed(bound, isSpacedOut, at.length) && freeGapAllowed(free, isSpacedOut);
}

function madeAllowed(places: readonly Place[], at: readonly number[]): boolean {
  const made = { digits: 0, signs: 0, letters: 0 };
  for (const index of at) {
    const { symbol, kind } = places[index] as Place;
    if (symbol >= 128 || !leetReadings[0][symbol]) made.letters++;
    else if (kind === digitKind) made.digits++;
    else made.signs++;
  }
  return leetAllowed(made);
}
