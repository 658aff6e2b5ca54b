/** The words of a text as a search knows them, in English and Chinese. */

const segmenter = new Intl.Segmenter('zh', { granularity: 'word' });
export const han = /\p{Script=Han}/u;

/** Words that questions are made of and that no passage is about. */
const stopWords = new Set(
  'a an and are as at be but by can could do does for from has have how i in is it its may me my of on or our should so that the their there this to us was we what when where which who why will with would you your tell please about 的 了 是 我 你 吗 呢 吧 啊 在 有 和 与 或 请 什么 怎么 如何 哪里 哪 为什么 一个 可以 能 要 会 这 那 它 把 被 对 从 到 上 下 里'.split(
    ' ',
  ),
);

/** In their order, as they stand. Unicode's segmentation, with a dictionary for Chinese (UAX #29). */
export function wordsOf(text: string): string[] {
  const found: string[] = [];
  for (const { segment, isWordLike } of segmenter.segment(text)) if (isWordLike) found.push(segment);
  return found;
}

/** The form under which a word is indexed; `null` for a stop word. */
export function toTerm(word: string): string | null {
  const term = word.normalize('NFKC').toLowerCase();
  if (stopWords.has(term)) return null;
  // Enough English morphology for plurals and the like to meet.
  return han.test(term) ? term : term.replace(/(?<=\w{3})(?:ing|ed|es|s)$/, '');
}

/** Longest term that an index of PostgreSQL takes is 2 kB; what is longer than this is no word. */
const MAX_TERM_CHARS = 64;

/**
 * The terms of a text, each once. Of Chinese also its pairs of characters, since the same characters can be cut into
 * other words elsewhere.
 */
export function termsOf(text: string): string[] {
  const terms = new Set<string>();
  for (const word of wordsOf(text)) {
    const term = toTerm(word);
    if (term !== null && term.length <= MAX_TERM_CHARS) terms.add(term);
  }
  for (const [run] of text.matchAll(/\p{Script=Han}{2,}/gu)) {
    const characters = [...run];
    for (let index = 1; index < characters.length; index++)
      terms.add(`${characters[index - 1]}${characters[index]}`);
  }
  return [...terms];
}
