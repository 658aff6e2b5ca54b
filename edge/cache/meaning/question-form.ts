/**
 * The form of a question as rules extract it: its kind, its canonical words in order, and the features that make two
 * questions different even when their wording is similar. Pure; English and Chinese. O(length).
 */

/**
 * The words of a language pair as data, as `question-words.ts` has them. Patterns are sources of regular expressions with
 * the flag `g`.
 */
export interface QuestionWords {
  /** Openings and endings of a question without content of their own. */
  fillers: string[];
  /** Wordings of one kind of question, each with the name that replaces them. */
  kinds: [kind: string, pattern: string][];
  emptyWords: string[];
  /** Synonyms, separated by spaces; the first replaces all. */
  synonyms: string[];
  features: Record<PatternFeature, string>;
}

/** The features that a pattern finds. */
type PatternFeature = 'negation' | 'number' | 'unit' | 'date' | 'direction' | 'scope' | 'side' | 'modality';

export type ReadQuestion = (text: string) => QuestionForm;

export interface QuestionForm {
  language: 'en' | 'zh' | 'other';
  /** Content words in canonical form, in order. */
  words: string[];
  /** `words` as one text: equal for questions with the same wording. */
  canonical: string;
  features: QuestionFeatures;
  /** The text without case, width and punctuation, for similarity. */
  surface: string;
}

/** Features that must be equal for one answer to serve two questions; sorted unless the order matters. */
export interface QuestionFeatures {
  kind: string[];
  negation: string[];
  number: string[];
  unit: string[];
  date: string[];
  name: string[];
  /** In order: the words before and after words of direction. */
  direction: string[];
  scope: string[];
  /** Words with a common opposite. */
  side: string[];
  modality: string[];
}

const cjk = /[\u3400-\u9fff]/;
const otherScripts = /[\u0370-\u1fff\u3040-\u30ff\uac00-\ud7af]/;
let segmenter: Intl.Segmenter | undefined;

/** Compiles the words once; the function it returns is O(length of the question). */
export function createQuestionReader(data: QuestionWords): ReadQuestion {
  const fillers = data.fillers.map(toPattern);
  const kindPatterns = data.kinds.map(([kind, pattern]) => [kind, toPattern(pattern)] as const);
  const patterns = Object.fromEntries(
    Object.entries(data.features).map(([name, source]) => [name, toPattern(source)]),
  ) as Record<PatternFeature, RegExp>;
  const vocabulary = createVocabulary(data);
  return (text) => {
    const plain = unabbreviated(text.normalize('NFKC'));
    const language = languageOf(plain.toLowerCase());
    let bare = plain.toLowerCase();
    for (const filler of fillers) bare = bare.replace(filler, ' ');
    bare = bare.replace(/\s+/g, ' ');
    const kinds: string[] = [];
    for (const [kind, wording] of kindPatterns) {
      bare = bare.replace(wording, () => {
        kinds.push(kind.trim());
        return ' ';
      });
    }
    const of = (feature: PatternFeature) => found(bare, patterns[feature]);
    const words = [...new Set(kinds), ...canonicalWords(bare, language, vocabulary)];
    return {
      language,
      words,
      canonical: `${language}:${words.join(' ')}`,
      features: {
        kind: sorted(kinds),
        negation: sorted(of('negation')),
        number: sorted(of('number').map(plainNumber)),
        unit: sorted(of('unit').map(stem)),
        date: sorted(of('date')),
        name: namesOf(plain),
        direction: of('direction').length === 0 ? [] : directionOf(bare, language, vocabulary),
        scope: sorted(of('scope')),
        side: sorted(of('side').map(stem)),
        modality: sorted(of('modality')),
      },
      surface: bare.replace(/[^\p{L}\p{N}]+/gu, ' ').trim(),
    };
  };
}

interface Vocabulary {
  emptyWords: ReadonlySet<string>;
  /** Word -> the first synonym of its group. */
  canonicalOf: ReadonlyMap<string, string>;
  /** Chinese synonyms are matched before the text is segmented. */
  knownChinese: RegExp;
}

function createVocabulary({ emptyWords, synonyms }: QuestionWords): Vocabulary {
  const canonicalOf = new Map(
    synonyms.flatMap((group) => {
      const [first = '', ...others] = group.split(' ');
      return [first, ...others].flatMap((word): [string, string][] => [
        [word, stem(first)],
        [stem(word), stem(first)],
      ]);
    }),
  );
  const chinese = [...canonicalOf.keys()]
    .filter((word) => cjk.test(word) && word.length > 1)
    .sort((one, other) => other.length - one.length);
  return { emptyWords: new Set(emptyWords), canonicalOf, knownChinese: new RegExp(chinese.join('|'), 'g') };
}

function languageOf(lower: string): QuestionForm['language'] {
  if (otherScripts.test(lower)) return 'other';
  if (cjk.test(lower)) return 'zh';
  return /[a-z]/.test(lower) ? 'en' : 'other';
}

function toPattern(source: string): RegExp {
  return new RegExp(source, 'g');
}

/** Similarity of the wording: Dice's coefficient over pairs of adjacent characters, in [0, 1]. O(length). */
export function wordingSimilarity(one: QuestionForm, other: QuestionForm): number {
  const left = pairsOf(one.surface);
  const right = pairsOf(other.surface);
  let common = 0;
  for (const [pair, count] of left) common += Math.min(count, right.get(pair) ?? 0);
  const size = (pairs: Map<string, number>) => [...pairs.values()].reduce((sum, count) => sum + count, 0);
  const all = size(left) + size(right);
  return all === 0 ? Number(one.surface === other.surface) : (2 * common) / all;
}

function pairsOf(text: string): Map<string, number> {
  const pairs = new Map<string, number>();
  for (let index = 0; index + 1 < text.length; index++) {
    const pair = text.slice(index, index + 2);
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  return pairs;
}

function unabbreviated(text: string): string {
  return text
    .replace(/[’‘]/g, "'")
    .replace(/\b(what|who|where|when|how|why|that|it|there|here)'s\b/gi, '$1 is')
    .replace(/\b(what|who|where|when|how|why)'re\b/gi, '$1 are')
    .replace(/\bcan't\b/gi, 'cannot')
    .replace(/\bwon't\b/gi, 'will not')
    .replace(/n't\b/gi, ' not')
    .replace(/\bi'm\b/gi, 'i am')
    .replace(/'ll\b/gi, ' will')
    .replace(/'ve\b/gi, ' have');
}

function canonicalWords(
  bare: string,
  language: QuestionForm['language'],
  { emptyWords, canonicalOf, knownChinese }: Vocabulary,
): string[] {
  const ofOrder = bare.replace(
    /\b([\p{L}\p{N}-]+) of (?:the |a |an |my |your |our )?([\p{L}\p{N}-]+)/gu,
    '$2 $1',
  );
  const plain = ofOrder
    .replace(/'s\b/g, ' ')
    .replace(
      /\b([\p{L}\p{N}+#-]+) (?:and|or|versus|vs) ([\p{L}\p{N}+#-]+)/gu,
      (_, one: string, other: string) => sorted([one, other]).join(' '),
    )
    .replace(
      /([\p{L}\p{N}]+?)(?:和|与|跟|或)([\p{L}\p{N}]+?)(?=的?(?:区别|差别|差异|不同|关系|比较|对比))/gu,
      (_, one: string, other: string) => `${sorted([one, other]).join(' ')} `,
    )
    .replace(knownChinese, (word) => ` ${canonicalOf.get(word)} `);
  const pieces = plain.split(/[^\p{L}\p{N}+#.%$€£¥°/-]+/u);
  const words = pieces.flatMap((piece) =>
    cjk.test(piece) ? segments(piece) : [piece.replace(/[./-]+$/, '')],
  );
  const canonical: string[] = [];
  for (const word of words) {
    // Function words that point to something can be the only difference between two questions.
    if (word === '' || (emptyWords.has(word) && !keptIn(language, word))) continue;
    const known = canonicalOf.get(word) ?? canonicalOf.get(stem(word)) ?? stem(word);
    canonical.push(known);
  }
  return canonical;
}

const pointing: ReadonlySet<string> = new Set(
  'to for in on at with about as by into can could will would'.split(' '),
);
const pointingChinese: ReadonlySet<string> = new Set('在 对 用 会 能 可以 要 想 去 来 我 你'.split(' '));

function keptIn(language: QuestionForm['language'], word: string): boolean {
  return language === 'en' ? pointing.has(word) : pointingChinese.has(word);
}

function segments(text: string): string[] {
  segmenter ??= new Intl.Segmenter('zh', { granularity: 'word' });
  return [...segmenter.segment(text)].map(({ segment }) => segment.trim());
}

/** A light stemmer: plurals and the most common endings; leaves short words unchanged. */
function stem(word: string): string {
  if (word.length < 4 || cjk.test(word) || /\d/.test(word)) return word;
  const plural = word.endsWith('ies')
    ? `${word.slice(0, -3)}y`
    : /(?:ss|us|is)$/.test(word)
      ? word
      : word.replace(/s$/, '');
  const root = plural.replace(/(?:ing|ed)$/, '');
  if (root === plural || root.length < 3 || !/[aeiouy]/.test(root)) return plural.replace(/e$/, '');
  return root.replace(/([b-df-hj-np-tv-z])\1$/, '$1').replace(/e$/, '');
}

/** Names: quoted text, code and identifiers, words with capitals within a sentence, Latin words among Chinese. */
function namesOf(text: string): string[] {
  // In a text all in capitals, capitals do not mark names.
  const plain = /[a-z]/.test(text) || cjk.test(text) ? text : text.toLowerCase();
  const names = found(
    plain,
    /"[^"]+"|“[^”]+”|「[^」]+」|《[^》]+》|`[^`]+`|https?:\/\/\S+|\b[\w.+-]+@[\w.-]+\b|\b\w+(?:[._/:]\w+)+\b|\b[A-Za-z]+\d+\w*\b|\b[A-Z]{2,}\w*\b|\b[a-z]+[A-Z]\w*\b|[A-Za-z]\+\+|[A-Za-z]#/g,
  );
  const isChinese = cjk.test(plain);
  for (const { 0: word, index } of plain.matchAll(/[A-Za-z][A-Za-z'-]*/g)) {
    const startsSentence = /(?:^|[.!?]\s*)$/.test(plain.slice(0, index).trimEnd());
    const isCapital = /^[A-Z]/.test(word) && word !== 'I' && !startsSentence;
    if (isCapital || isChinese) names.push(word);
  }
  return sorted([...new Set(names.map((name) => name.toLowerCase().replace(/'s$/, '')))]);
}

/** In a question with a word of direction, the order of the words decides who does what to whom. */
function directionOf(bare: string, language: QuestionForm['language'], vocabulary: Vocabulary): string[] {
  const symmetric =
    /\b(?:between|and|or|versus|vs)\b|和|与|跟|或/.test(bare) &&
    !/\b(?:from|to|into|than)\b|从|到|比|把/.test(bare);
  const order = canonicalWords(bare, language, vocabulary);
  return symmetric ? sorted(order) : order;
}

function plainNumber(text: string): string {
  return text.replace(/(\d),(\d{3})/g, '$1$2').replace(/^(\d+)(?:st|nd|rd|th)$/, '$1');
}

function found(text: string, pattern: RegExp): string[] {
  return text.match(pattern) ?? [];
}

function sorted(list: string[]): string[] {
  return [...list].sort();
}
