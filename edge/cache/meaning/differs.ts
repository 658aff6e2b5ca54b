/**
 * Rules that veto a match: when two similar questions differ in one of these features, one answer does not serve both.
 * When in doubt they veto, since a model call is cheaper than a wrong answer.
 */
import type { QuestionFeatures, QuestionForm } from './question-form.ts';

export type Difference = 'language' | keyof QuestionFeatures | 'wording';

/** In the order in which {@link differs} reports them. */
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
 * @param finder how the match was found: by `meaning` (embeddings) the wording may differ; by `wording` alone, the content
 * words must be the same in the same order
 * @returns the first feature in which the questions differ; `undefined` when one answer may serve both
 */
export function differs(
  one: QuestionForm,
  other: QuestionForm,
  finder: 'wording' | 'meaning',
): Difference | undefined {
  if (one.language !== other.language || one.language === 'other') return 'language';
  const byWording = finder === 'wording';
  // Equal canonical words already imply the same kind, side and direction.
  const compared = byWording ? classes.filter((name) => isStrict(name)) : classes;
  for (const name of compared) if (!isSame(one.features[name], other.features[name])) return name;
  if (byWording) return isSame(one.words, other.words) ? undefined : 'wording';
  if (isReordered(one.words, other.words)) return 'direction';
  return isSwapped(one.words, other.words) ? 'wording' : undefined;
}

/** The same words in another order can have another meaning: who sues whom. */
function isReordered(one: readonly string[], other: readonly string[]): boolean {
  return !isSame(one, other) && isSame([...one].sort(), [...other].sort());
}

/** Most words that are replaced by others. */
const MAX_SWAPPED = 2;

/** Whether a few words in the same sentence are replaced: "how do I cook rice", "how do I cook beans". */
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
