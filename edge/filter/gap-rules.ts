/** Which characters between the letters of a word still count as part of it. */
import { joinerKind, spaceKind } from './folding.ts';

/** Most signs and spaces between two letters of a word. */
export const MAX_GAP = 8;
/** Most invisible characters in a row within a word. */
export const MAX_IGNORED = 32;

/**
 * Scripts that separate words. "pen is" and "he'll" are separate words, so between some of the letters only signs are
 * allowed ("fu-ck"), and other gaps only when they separate all letters ("f u c k").
 * @param gap the kind of the worst gap, 0 for none
 * @param isSpacedOut whether there is a gap between every two adjacent letters
 */
export function boundGapAllowed(gap: number, isSpacedOut: boolean, letters: number): boolean {
  return gap === 0 || isSpacedOut || (gap === joinerKind && letters > 3);
}

/** Scripts that do not: spaces and signs anywhere, the end of a clause only when gaps separate all letters. */
export function freeGapAllowed(gap: number, isSpacedOut: boolean): boolean {
  return gap <= spaceKind || isSpacedOut;
}

/**
 * Whether a text with digits and signs in place of letters counts as a word: "b00b" does, the model number "a55" and the
 * price "$5" do not. The plain reading covers a text without any.
 */
export function leetAllowed(made: { digits: number; signs: number; letters: number }): boolean {
  const { digits, signs, letters } = made;
  return digits + signs > 0 && digits + signs + letters > 2 && letters > 0 && digits <= letters;
}
