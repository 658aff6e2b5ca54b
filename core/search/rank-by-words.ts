import MiniSearch from 'minisearch';
import { termsOf } from '../text/words.ts';
import type { Chunk } from './chunk-store.ts';

/** Weight of a word in the headings. */
const HEADING_BOOST = 2;

/**
 * Candidates in the order of BM25+ (by MiniSearch), which PostgreSQL's own ranks lack: there a common word counts as much as
 * a rare one. How rare a word is, is seen from the candidates.
 */
export function rankByWords(candidates: readonly Chunk[], text: string): Chunk[] {
  const index = new MiniSearch<Chunk>({
    fields: ['heading', 'text'],
    tokenize: termsOf,
    processTerm: (term) => term,
    searchOptions: { boost: { heading: HEADING_BOOST } },
  });
  index.addAll(candidates as Chunk[]);
  const byId = new Map(candidates.map((chunk) => [chunk.id, chunk]));
  return index.search(text).flatMap(({ id }) => byId.get(id) ?? []);
}
