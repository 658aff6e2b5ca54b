/** Full-text search over passages (BM25+, by MiniSearch), in English and Chinese. */
import MiniSearch from 'minisearch';
import type { Passage } from './passages.ts';

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

const segmenter = new Intl.Segmenter('zh', { granularity: 'word' });
const han = /\p{Script=Han}/u;

/** Words that questions are made of and that no passage is about. */
const stopWords = new Set(
  'a an and are as at be but by can could do does for from has have how i in is it its may me my of on or our should so that the their there this to us was we what when where which who why will with would you your tell please about 的 了 是 我 你 吗 呢 吧 啊 在 有 和 与 或 请 什么 怎么 如何 哪里 哪 为什么 一个 可以 能 要 会 这 那 它 把 被 对 从 到 上 下 里'.split(
    ' ',
  ),
);

export function createPassageIndex(passages: Passage[]): PassageIndex {
  const index = new MiniSearch<Passage>({
    fields: ['title', 'heading', 'text'],
    extractField: (passage, field) =>
      field === 'title' ? titleOf(passage) : passage[field as keyof Passage],
    tokenize: words,
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

function words(text: string): string[] {
  const found: string[] = [];
  for (const { segment, isWordLike } of segmenter.segment(text)) if (isWordLike) found.push(segment);
  return found;
}

function toTerm(word: string): string | null {
  const term = word.normalize('NFKC').toLowerCase();
  if (stopWords.has(term)) return null;
  // Enough English morphology for plurals and the like to meet.
  return han.test(term) ? term : term.replace(/(?<=\w{3})(?:ing|ed|es|s)$/, '');
}
