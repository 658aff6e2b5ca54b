/**
 * The rules that refuse: whatever finds two questions alike, one answer does not serve both when one of these
 * differs. When in doubt they refuse; a model call is cheaper than a wrong answer.
 */
import type { QuestionFeatures, QuestionForm } from './question-form.ts';

export type Difference = 'language' | keyof QuestionFeatures | 'wording';

/** In the order of being told. */
const classes: readonly (keyof QuestionFeatures)[] = [
  'negation',
  'number',
  'unit',
  'date',
  'name',
  'side',
  'scope',
  'modality',
  'kind',
  'direction',
];

/**
 * @param finder Who found them alike: by `meaning` (embeddings) the wording may differ; by `wording` alone there
 * is nothing else to go by, so the words that carry meaning must be the same ones in the same order.
 * @returns the first class in which the questions differ; `undefined` when one answer may serve both
 */
export function differs(
  one: QuestionForm,
  other: QuestionForm,
  finder: 'wording' | 'meaning',
): Difference | undefined {
  if (one.language !== other.language || one.language === 'other') return 'language';
  const byWording = finder === 'wording';
  // Canonical words say the kind, the side and the direction of a question themselves, synonyms apart.
  const told = byWording ? classes.filter((name) => isStrict(name)) : classes;
  for (const name of told) if (!isSame(one.features[name], other.features[name])) return name;
  if (byWording) return isSame(one.words, other.words) ? undefined : 'wording';
  if (isReordered(one.words, other.words)) return 'direction';
  return isSwapped(one.words, other.words) ? 'wording' : undefined;
}

/** The same words in another order say another thing: who sues whom. */
function isReordered(one: readonly string[], other: readonly string[]): boolean {
  return !isSame(one, other) && isSame([...one].sort(), [...other].sort());
}

/** Most words that stand in the place of others. */
const MAX_SWAPPED = 2;

/** One frame with another word in it asks about another thing: "how do I cook rice", "how do I cook beans". */
function isSwapped(one: readonly string[], other: readonly string[]): boolean {
  const shorter = Math.min(one.length, other.length);
  let before = 0;
  while (before < shorter && one[before] === other[before]) before++;
  let after = 0;
  while (after < shorter - before && one.at(-1 - after) === other.at(-1 - after)) after++;
  const [left, right] = [one.length - before - after, other.length - before - after];
  return left > 0 && right > 0 && left <= MAX_SWAPPED && right <= MAX_SWAPPED;
}

function isStrict(name: keyof QuestionFeatures): boolean {
  return name === 'negation' || name === 'number' || name === 'name' || name === 'date';
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((word, index) => word === other[index]);
}
