/**
 * The words of a list as one Aho-Corasick automaton (Aho and Corasick, 1975) in flat arrays, compiled by
 * `infra/local/word-lists/compile-words.ts` and read from bytes: the time per character does not depend on the number of
 * words, and the edge builds nothing.
 *
 * Nodes are numbered breadth first, so that the children of a node are adjacent, in the order of their codes.
 */

/** Properties of a node: the bits of `CompiledWords.flags`. */
export const nodeFlags = {
  /** A word below this node may begin inside a word of the text. */
  freeStart: 1,
  /** A word below this node itself contains a space or sign before this node's symbol. */
  breakBefore: 2,
  /** The same, before the symbol of a child. */
  breakAfter: 4,
  /** This node's symbol, or a child's, belongs to a script that does not separate words. */
  freeSymbol: 8,
  freeChild: 16,
  /** The word that ends here must end where a word of the text ends, so the next character decides. */
  boundEnd: 32,
  /** The word that ends here refuses the text. */
  refuse: 64,
  /** The word that ends here may begin inside a word of the text. */
  wordFreeStart: 128,
} as const;

export interface CompiledWords {
  /** Code -> symbol; codes begin at 1. */
  readonly alphabet: Uint32Array;
  /** Symbol of at most 16 bits -> its code; 0 for symbols that no word contains. */
  readonly codes: Uint16Array;
  /** The same for symbols above U+FFFF. */
  readonly wideCodes: ReadonlyMap<number, number>;
  /** Children of node n: from `firstChild[n]` to `firstChild[n + 1]`, exclusive. The root is node 0. */
  readonly firstChild: Int32Array;
  /** The node of the longest proper suffix that is a prefix of a word. */
  readonly fail: Int32Array;
  readonly parent: Int32Array;
  /** The node of the longest suffix, including the whole, that is a word; 0 for none. */
  readonly hit: Int32Array;
  /** The code that leads to a node. */
  readonly codeOf: Uint16Array;
  readonly depth: Uint8Array;
  readonly flags: Uint8Array;
  /** For the node of a whole word: the index of its label. */
  readonly labelOf: Uint8Array;
  /** Code -> child of the root, or 0. */
  readonly roots: Int32Array;
  /** Bit k: the word that ends at this node itself contains a space or sign before its symbol k. */
  readonly breaks: ReadonlyMap<number, bigint>;
  readonly labels: readonly string[];
  readonly maxDepth: number;
  readonly wordCount: number;
  /** Memory of the arrays, in bytes. */
  readonly bytes: number;
}

/** The JSON header before the arrays. */
export interface WordsHead {
  format: typeof wordsFormat;
  nodeCount: number;
  alphabetSize: number;
  wordCount: number;
  labels: string[];
  /** Node and bits, in hexadecimal. */
  breaks: [node: number, bits: string][];
}

/** Changes whenever the layout of the bytes or the meaning of the arrays changes. */
export const wordsFormat = 'edgewise-words-1';

/**
 * Bytes: the length of the head as 32 bits, the head in UTF-8, padded to a multiple of 4, then the arrays,
 * little-endian and without gaps: `alphabet`, `firstChild`, `fail`, `parent`, `hit`, `codeOf`, `depth`, `flags`,
 * `labelOf`.
 * @throws Error when the bytes have another format or are incomplete
 */
export function readCompiledWords(buffer: ArrayBuffer): CompiledWords {
  const headLength = buffer.byteLength < 4 ? 0 : new DataView(buffer).getUint32(0, true);
  let at = 4 + headLength;
  if (headLength === 0 || at > buffer.byteLength) throw new Error('the bytes are not compiled words');
  const head: WordsHead = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headLength)));
  const { format, nodeCount, alphabetSize, labels } = head;
  if (format !== wordsFormat || buffer.byteLength !== at + 4 * alphabetSize + 21 * nodeCount + 4)
    throw new Error('the words were compiled for another version');
  const take = <T>(
    type: new (buffer: ArrayBuffer, at: number, length: number) => T,
    width: number,
    length: number,
  ) => {
    const from = at;
    at += width * length;
    return new type(buffer, from, length);
  };
  const alphabet = take(Uint32Array, 4, alphabetSize);
  const firstChild = take(Int32Array, 4, nodeCount + 1);
  const [fail, parent, hit] = [0, 1, 2].map(() => take(Int32Array, 4, nodeCount)) as [
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  const codeOf = take(Uint16Array, 2, nodeCount);
  const [depth, flags, labelOf] = [0, 1, 2].map(() => take(Uint8Array, 1, nodeCount)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];

  const codes = new Uint16Array(0x10000);
  const wideCodes = new Map<number, number>();
  for (const [code, symbol] of alphabet.entries()) {
    if (symbol > 0xffff) wideCodes.set(symbol, code);
    else codes[symbol] = code;
  }
  const roots = new Int32Array(alphabetSize);
  for (let child = 1; child < (firstChild[1] as number); child++) roots[codeOf[child] as number] = child;
  return {
    ...{
      alphabet,
      codes,
      wideCodes,
      firstChild,
      fail,
      parent,
      hit,
      codeOf,
      depth,
      flags,
      labelOf,
      roots,
      labels,
    },
    breaks: new Map(head.breaks.map(([node, bits]) => [node, BigInt(`0x${bits}`)])),
    // Nodes are numbered breadth first, so the last one has the largest depth.
    maxDepth: depth[nodeCount - 1] as number,
    wordCount: head.wordCount,
    bytes: buffer.byteLength + codes.byteLength + roots.byteLength,
  };
}

type Automaton = Pick<CompiledWords, 'roots' | 'firstChild' | 'codeOf' | 'fail'>;

/** The next node for a code: the longest suffix of the text so far that is a prefix of a word. Amortized O(1). */
export function step({ roots, firstChild, codeOf, fail }: Automaton, from: number, code: number): number {
  if (code === 0) return 0;
  let node = from;
  while (node !== 0) {
    let low = firstChild[node] as number;
    const end = firstChild[node + 1] as number;
    let high = end;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((codeOf[middle] as number) < code) low = middle + 1;
      else high = middle;
    }
    if (low < end && codeOf[low] === code) return low;
    node = fail[node] as number;
  }
  return roots[code] as number;
}
