/**
 * Compiles a word list into the bytes of the automaton that the edge searches with (`edge/filter/compiled-words.ts`).
 * This takes about 50 ms for 20,000 words, so it happens once, when the edge is built.
 */
import { nodeFlags, step, type WordsHead, wordsFormat } from '../../../edge/filter/compiled-words.ts';
import {
  digitKind,
  type Folding,
  foldText,
  freeLetterKind,
  letterKind,
} from '../../../edge/filter/folding.ts';
import { type WordEntry, WordListError } from './word-list.ts';

interface Word {
  /** Codes as a string, since strings sort fast. */
  key: string;
  kinds: number[];
  breaks: bigint;
  freeStart: boolean;
  freeEnd: boolean;
  refuse: boolean;
  label: number;
}

/** Longest word, in folded letters. */
export const MAX_WORD_LETTERS = 64;

/** @throws WordListError when an entry has too few letters or too many */
export function compileWords(entries: readonly WordEntry[], folding: Folding): ArrayBuffer {
  const alphabet = new Alphabet();
  const labels = [...new Set(entries.map(({ label }) => label))];
  const labelIndex = new Map(labels.map((label, index) => [label, index]));
  const faults: string[] = labels.length > 256 ? ['more than 256 labels'] : [];
  const words: Word[] = [];
  for (const entry of entries) {
    const word = toWord(entry, folding, alphabet);
    if (typeof word === 'string') faults.push(`line ${entry.line}: ${word}`);
    else words.push({ ...word, label: labelIndex.get(entry.label) ?? 0 });
  }
  if (alphabet.symbols.length > 0xffff) faults.push('more than 65,534 different characters');
  if (faults.length > 0) throw new WordListError(faults);
  return toBytes(mergeSame(words), alphabet, labels);
}

class Alphabet {
  readonly symbols = [0];
  readonly #codes = new Map<number, number>();

  enter(symbol: number): number {
    const known = this.#codes.get(symbol);
    if (known !== undefined) return known;
    const code = this.symbols.push(symbol) - 1;
    this.#codes.set(symbol, code);
    return code;
  }
}

function toWord(entry: WordEntry, folding: Folding, alphabet: Alphabet): Omit<Word, 'label'> | string {
  let key = '';
  let breaks = 0n;
  let isBreak = false;
  const kinds: number[] = [];
  for (const { symbol, kind } of foldText(entry.text, folding)) {
    if (kind > freeLetterKind) {
      isBreak = true;
      continue;
    }
    if (isBreak && kinds.length > 0) breaks |= 1n << BigInt(kinds.length);
    isBreak = false;
    kinds.push(kind);
    key += String.fromCharCode(alphabet.enter(symbol));
  }
  if (kinds.length > MAX_WORD_LETTERS) return `more than ${MAX_WORD_LETTERS} letters`;
  if (kinds.length === 0 || (kinds.length === 1 && kinds[0] !== freeLetterKind))
    return 'too few letters to be searched for';
  const { freeStart, freeEnd, action } = entry;
  return { key, kinds, breaks, freeStart, freeEnd, refuse: action === 'refuse' };
}

/** Sorts the words and merges those that fold to the same one: the wider match and the stricter action win. */
function mergeSame(words: Word[]): Word[] {
  words.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const merged: Word[] = [];
  for (const word of words) {
    const last = merged.at(-1);
    if (last?.key !== word.key) {
      merged.push(word);
      continue;
    }
    if (word.refuse && !last.refuse) last.label = word.label;
    last.refuse ||= word.refuse;
    last.freeStart ||= word.freeStart;
    last.freeEnd ||= word.freeEnd;
    last.breaks |= word.breaks;
  }
  return merged;
}

function toBytes(words: readonly Word[], alphabet: Alphabet, labels: string[]): ArrayBuffer {
  const most = words.reduce((sum, { key }) => sum + key.length, 1);
  const { nodeCount, firstChild, codeOf, depth, flags, parent, wordAt } = growTrie(words, most);
  const { fail, hit } = link({ nodeCount, firstChild, codeOf, parent, wordAt }, alphabet.symbols.length);
  propagateFlags(flags, parent);
  const labelOf = new Uint8Array(nodeCount);
  for (const [node, { label }] of wordAt) labelOf[node] = label;
  const head: WordsHead = {
    format: wordsFormat,
    nodeCount,
    alphabetSize: alphabet.symbols.length,
    wordCount: words.length,
    labels,
    breaks: [...wordAt].flatMap(([node, { breaks }]): WordsHead['breaks'] =>
      breaks === 0n ? [] : [[node, breaks.toString(16)]],
    ),
  };
  return join(head, [
    Uint32Array.from(alphabet.symbols),
    firstChild,
    fail,
    parent,
    hit,
    codeOf,
    depth,
    flags,
    labelOf,
  ]);
}

function join(
  head: WordsHead,
  arrays: readonly (Uint32Array | Int32Array | Uint16Array | Uint8Array)[],
): ArrayBuffer {
  const written = new TextEncoder().encode(JSON.stringify(head));
  const headLength = Math.ceil(written.length / 4) * 4;
  const length = arrays.reduce((sum, { byteLength }) => sum + byteLength, 4 + headLength);
  const bytes = new Uint8Array(length).fill(0x20, 4, 4 + headLength);
  new DataView(bytes.buffer).setUint32(0, headLength, true);
  bytes.set(written, 4);
  let at = 4 + headLength;
  for (const { buffer, byteOffset, byteLength } of arrays) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return bytes.buffer;
}

/** From the root down: the node where a failed prefix continues (fail), and the longest word that ends there (hit). */
function link(
  { nodeCount, firstChild, codeOf, parent, wordAt }: Omit<Trie, 'depth' | 'flags'>,
  alphabetSize: number,
): { fail: Int32Array; hit: Int32Array } {
  const roots = new Int32Array(alphabetSize);
  for (let child = 1; child < (firstChild[1] as number); child++) roots[codeOf[child] as number] = child;
  const automaton = { roots, firstChild, codeOf, fail: new Int32Array(nodeCount) };
  const hit = new Int32Array(nodeCount);
  for (let node = 1; node < nodeCount; node++) {
    const up = parent[node] as number;
    const suffix = up === 0 ? 0 : step(automaton, automaton.fail[up] as number, codeOf[node] as number);
    automaton.fail[node] = suffix;
    hit[node] = wordAt.has(node) ? node : (hit[suffix] as number);
  }
  return { fail: automaton.fail, hit };
}

/** From the leaves up: marks each node with the properties of the nodes below it. */
function propagateFlags(flags: Uint8Array, parent: Int32Array): void {
  for (let node = flags.length - 1; node > 0; node--) {
    const own = flags[node] as number;
    let up = (flags[parent[node] as number] as number) | (own & nodeFlags.freeStart);
    if (own & nodeFlags.breakBefore) up |= nodeFlags.breakAfter;
    if (own & nodeFlags.freeSymbol) up |= nodeFlags.freeChild;
    flags[parent[node] as number] = up;
  }
}

interface Trie {
  nodeCount: number;
  firstChild: Int32Array;
  codeOf: Uint16Array;
  depth: Uint8Array;
  flags: Uint8Array;
  parent: Int32Array;
  wordAt: Map<number, Word>;
}

/** Breadth first over the sorted words: the words below a node are a range of them. */
function growTrie(words: readonly Word[], most: number): Trie {
  const firstChild = new Int32Array(most + 1);
  const codeOf = new Uint16Array(most);
  const depth = new Uint8Array(most);
  const flags = new Uint8Array(most);
  const parent = new Int32Array(most);
  const from = new Int32Array(most);
  const to = new Int32Array(most);
  const wordAt = new Map<number, Word>();
  to[0] = words.length;
  let nodeCount = 1;
  for (let node = 0; node < nodeCount; node++) {
    const place = depth[node] as number;
    const end = to[node] as number;
    let at = from[node] as number;
    firstChild[node] = nodeCount;
    const whole = words[at];
    if (whole && whole.key.length === place && place > 0) {
      wordAt.set(node, whole);
      flags[node] = (flags[node] as number) | wordFlags(whole);
      at++;
    }
    while (at < end) {
      const code = (words[at] as Word).key.charCodeAt(place);
      const child = nodeCount++;
      codeOf[child] = code;
      depth[child] = place + 1;
      parent[child] = node;
      from[child] = at;
      let own = (words[at] as Word).kinds[place] === freeLetterKind ? nodeFlags.freeSymbol : 0;
      for (; at < end && (words[at] as Word).key.charCodeAt(place) === code; at++) {
        const { breaks } = words[at] as Word;
        if (breaks !== 0n && (breaks >> BigInt(place)) & 1n) own |= nodeFlags.breakBefore;
      }
      to[child] = at;
      flags[child] = own;
    }
  }
  firstChild[nodeCount] = nodeCount;
  return {
    nodeCount,
    wordAt,
    firstChild: firstChild.slice(0, nodeCount + 1),
    codeOf: codeOf.slice(0, nodeCount),
    depth: depth.slice(0, nodeCount),
    flags: flags.slice(0, nodeCount),
    parent: parent.slice(0, nodeCount),
  };
}

function wordFlags({ kinds, freeStart, freeEnd, refuse }: Word): number {
  const parts = (kind: number | undefined) => kind === letterKind || kind === digitKind;
  let flags = refuse ? nodeFlags.refuse : 0;
  if (freeStart || !parts(kinds[0])) flags |= nodeFlags.freeStart | nodeFlags.wordFreeStart;
  if (!freeEnd && parts(kinds.at(-1))) flags |= nodeFlags.boundEnd;
  return flags;
}
