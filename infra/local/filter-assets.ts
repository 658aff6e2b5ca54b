/** Builds what the content filter reads from its static assets: tables that are too large for the Worker. */
import type { CharacterTable } from '../../edge/filter/folding.ts';
import { lookalikes } from './lookalikes.ts';

/** Everything that is read as something else. */
export async function characterTable(): Promise<CharacterTable> {
  const pairs = [...lookalikes, ...(await simplifiedForms())];
  return { from: pairs.map(([from]) => from).join(''), to: pairs.map(([, to]) => to).join('') };
}

/**
 * Traditional characters and variants -> one simplified form, from OpenCC's tables. Characters that any of the
 * tables relates are one to the filter: what is meant to be found must not hide behind a finer difference.
 */
async function simplifiedForms(): Promise<[string, string][]> {
  const simplified = await readPairs('TSCharacters');
  const variants = [...(await readPairs('TWVariants')), ...(await readPairs('HKVariants'))];
  const targets = new Set(simplified.map(([, to]) => to));
  const groupOf = new Map<string, Set<string>>();
  for (const [one, other] of [...simplified, ...variants]) {
    const joined = new Set([...(groupOf.get(one) ?? [one]), ...(groupOf.get(other) ?? [other])]);
    for (const character of joined) groupOf.set(character, joined);
  }
  return [...groupOf].flatMap(([character, group]): [string, string][] => {
    const chosen = [...group].filter((member) => targets.has(member)).sort()[0] ?? [...group].sort()[0];
    return chosen === undefined || chosen === character ? [] : [[character, chosen]];
  });
}

/** A dictionary: "from to|from to|...", with several targets parted by spaces, the best first. */
async function readPairs(name: string): Promise<[string, string][]> {
  const dictionary: { default: string } = await import(`opencc-js/dict/${name}`);
  return dictionary.default.split('|').flatMap((line): [string, string][] => {
    const [from, to] = line.split(' ');
    // Only single characters: phrases are a converter's finer points.
    return from && to && [...from].length === 1 && [...to].length === 1 ? [[from, to]] : [];
  });
}
