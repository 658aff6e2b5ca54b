/** What may lie between the letters of a word so that it is still read as that word, and by whom it is not. */
import { joinerKind, spaceKind } from './folding.ts';

/** Signs and spaces between two letters of a word, at most. */
export const MAX_GAP = 8;
/** Unseen characters in a row within a word, at most. */
export const MAX_IGNORED = 32;

/**
 * Scripts that part their words. "pen is" and "he'll" are words of their own: only signs may lie between some
 * letters ("fu-ck"), anything between all of them ("f u c k").
 * @param gap the kind of the worst gap, 0 for none
 * @param isParted whether there is a gap between any two neighbours
 */
export function boundGapAllowed(gap: number, isParted: boolean, letters: number): boolean {
  return gap === 0 || isParted || (gap === joinerKind && letters > 3);
}

/** Scripts that do not: spaces and signs anywhere, the end of a clause only if there is a gap between any two. */
export function freeGapAllowed(gap: number, isParted: boolean): boolean {
  return gap <= spaceKind || isParted;
}

/**
 * Whether a word with digits and signs for letters is one: "b00b" is, the model number "a55" and the price "$5"
 * are not. One without any was seen by the plain reading.
 */
export function leetAllowed(made: { digits: number; signs: number; letters: number }): boolean {
  const { digits, signs, letters } = made;
  return digits + signs > 0 && digits + signs + letters > 2 && letters > 0 && digits <= letters;
}
