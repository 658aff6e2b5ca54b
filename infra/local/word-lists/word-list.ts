/**
 * The text format of word lists: one entry per line, under a heading that says what happens to a match.
 *
 *     # a remark
 *     [mask]               what follows is replaced in prompts and answers
 *     [refuse gambling]    what follows refuses a prompt and ends an answer; the label is for the log
 *     word                 whole words only; a Chinese word is found anywhere
 *     two words            found with or without the space
 *     *stem*               a star allows a match inside a longer word on its side
 */

export type WordAction = 'mask' | 'refuse';

export interface WordEntry {
  text: string;
  action: WordAction;
  label: string;
  /** Whether a match may begin, or end, inside a longer word. */
  freeStart: boolean;
  freeEnd: boolean;
  /** Line of the list, from 1. */
  line: number;
}

export class WordListError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The word list is not valid:\n${faults.join('\n')}`);
    this.name = 'WordListError';
    this.faults = faults;
  }
}

/** Longest entry, in characters. */
const MAX_ENTRY_CHARS = 64;
/** Most entries of one list. */
const MAX_ENTRIES = 200_000;
const head = /^\[\s*(mask|refuse)(?:\s+([\w-]{1,40}))?\s*\]$/;

/** @throws WordListError that names every line with a fault */
export function parseWordList(text: string): WordEntry[] {
  const entries: WordEntry[] = [];
  const faults: string[] = [];
  let action: WordAction = 'mask';
  let label = 'word';
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    const written = raw.trim();
    if (written === '' || written.startsWith('#')) continue;
    const line = index + 1;
    if (written.startsWith('[')) {
      const [, named, labelled] = head.exec(written) ?? [];
      if (!named) faults.push(`line ${line}: a head is [mask], [refuse] or one of them with a label`);
      else {
        action = named as WordAction;
        label = labelled ?? 'word';
      }
      continue;
    }
    const freeStart = written.startsWith('*');
    const freeEnd = written.length > 1 && written.endsWith('*');
    const word = written.slice(freeStart ? 1 : 0, freeEnd ? -1 : undefined).trim();
    if (word.length > MAX_ENTRY_CHARS) faults.push(`line ${line}: longer than ${MAX_ENTRY_CHARS} characters`);
    else if (word === '') faults.push(`line ${line}: no word`);
    else entries.push({ text: word, action, label, freeStart, freeEnd, line });
  }
  if (entries.length > MAX_ENTRIES) faults.push(`more than ${MAX_ENTRIES} entries`);
  if (faults.length > 0) throw new WordListError(faults);
  return entries;
}
