/** Full-text search over passages (BM25+, by MiniSearch), in English and Chinese. */
import MiniSearch from 'minisearch';
import type { Passage } from './passages.ts';
import { han, toTerm, wordsOf } from './words.ts';

export interface FoundPassage {
  passage: Passage;
  /** BM25+ score; only its order and its being above {@link MIN_SCORE} mean anything. */
  score: number;
}

export interface PassageIndex {
  /** The best passage in the question's own language, or `undefined` when none is about the question. */
  find(question: string): FoundPassage | undefined;
}

/** Below this a passage shares but a common word with the question. Set by the tests' question list. */
export const MIN_SCORE = 4;

export function createPassageIndex(passages: Passage[]): PassageIndex {
  const index = new MiniSearch<Passage>({
    fields: ['title', 'heading', 'text'],
    extractField: (passage, field) =>
      field === 'title' ? titleOf(passage) : passage[field as keyof Passage],
    tokenize: wordsOf,
    processTerm: toTerm,
    searchOptions: {
      boost: { title: 3 },
      prefix: (term) => term.length > 3 && !han.test(term),
      fuzzy: false,
    },
  });
  index.addAll(passages);
  const byId = new Map(passages.map((passage) => [passage.id, passage]));

  return {
    find(question) {
      const chinese = han.test(question);
      for (const { id, score } of index.search(question)) {
        if (score < MIN_SCORE) return undefined;
        const passage = byId.get(id);
        if (passage && han.test(passage.text) === chinese) return { passage, score };
      }
      return undefined;
    },
  };
}

/** The heading right above the passage; those further up stand over many. */
function titleOf({ heading }: Passage): string {
  return heading.split(' > ').at(-1) ?? '';
}
