/**
 * The embedder that needs no model: words and pieces of words, hashed into a vector (feature hashing, Weinberger et al. 2009).
 * Near is what is written alike, with other endings or a slip of the pen; it knows no synonyms and no translation.
 */
import { setImmediate as nextTick } from 'node:timers/promises';
import { VECTOR_DIMENSIONS } from '../db/vector-dimensions.ts';
import { han, toTerm, wordsOf } from '../text/words.ts';
import type { Embedder } from './embedder.ts';

const GRAM = 3;
const WORD_WEIGHT = 2;
const MIN_COSINE = { related: 0.08, close: 0.2 };

export const builtInEmbedder: Embedder = {
  name: 'edgewise-words-1',
  minCosine: MIN_COSINE,
  async embed(texts) {
    const vectors: number[][] = [];
    for (const text of texts) {
      vectors.push(toVector(text));
      // A text takes up to some milliseconds: streams go on between two.
      await nextTick();
    }
    return vectors;
  },
};

/** Of length 1, or all zeros for a text without a word. O(characters). */
export function toVector(text: string): number[] {
  const vector = new Array<number>(VECTOR_DIMENSIONS).fill(0);
  const counts = new Map<string, number>();
  const add = (feature: string, weight: number) => counts.set(feature, (counts.get(feature) ?? 0) + weight);
  for (const word of wordsOf(text)) {
    const term = toTerm(word);
    if (term === null) continue;
    add(term, WORD_WEIGHT);
    const characters = [...(han.test(term) ? term : `^${term}$`)];
    const size = han.test(term) ? 1 : GRAM;
    for (let start = 0; start + size <= characters.length; start++)
      add(characters.slice(start, start + size).join(''), 1);
  }
  for (const [feature, count] of counts) {
    const hash = fnv1a(feature);
    const place = hash % VECTOR_DIMENSIONS;
    // The sign lets collisions cancel out instead of adding up.
    const sign = hash & 0x8000_0000 ? -1 : 1;
    vector[place] = (vector[place] ?? 0) + sign * (1 + Math.log(count));
  }
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}

/** FNV-1a, 32 bits, over UTF-16 units, with a last mix (MurmurHash3's) since the low bits are used. */
function fnv1a(text: string): number {
  let hash = 0x811c_9dc5;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
