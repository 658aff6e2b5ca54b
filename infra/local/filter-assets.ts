/** Builds the character table of the content filter, a static asset since it is too large for the Worker. */
import type { CharacterTable } from '../../edge/filter/folding.ts';

/** A Latin letter, then the characters that look like it: Cyrillic, Greek, Armenian, Cherokee, IPA, small capitals. */
const groups = [
  'aаαɑᴀɐꭺ bьвʙβɓꮟ cсςᴄƈꮯ dԁᴅɗđꭰ eеєҽᴇɛəεꬲꮛ fϝғꜰƒẝ gɡցɢɠԍ hһнʜհħɦη iіıɩɪιӏꭵ jјʝᴊϳ kкκᴋƙқĸ lʟłɭꮮ mмᴍɱ',
  'nпողɴɲŋνռ oоοօσᴏøɵөѳ pрρᴘþƥ qԛզɋ rгᴦʀɾɍꭇ sѕꜱʂꮪ tтτᴛƭŧ uυսᴜʊцʉμ vѵᴠʋⱱ wԝωѡᴡɯ xхχҳ yуүγʏƴ zᴢʐƶʑ',
];

/**
 * Look-alike -> letter, all in lower case, where Unicode's compatibility forms do not relate the two: a choice of what
 * evasions use, far smaller than the confusables of UTS #39.
 */
export const lookalikes: readonly (readonly [character: string, letter: string])[] = groups
  .flatMap((group) => group.split(' '))
  .flatMap(([letter = '', ...others]) => others.map((other) => [other, letter] as const));

/** All characters that the filter reads as another one. */
export async function characterTable(): Promise<CharacterTable> {
  const pairs = [...lookalikes, ...(await simplifiedForms())];
  return { from: pairs.map(([from]) => from).join(''), to: pairs.map(([, to]) => to).join('') };
}

/**
 * Traditional characters and variants -> one simplified form, from OpenCC's tables. Characters that any of the tables
 * relates are equal to the filter, so that a word cannot hide behind a variant.
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

/** A dictionary: "from to|from to|...", several targets separated by spaces, the best first. */
async function readPairs(name: string): Promise<[string, string][]> {
  const dictionary: { default: string } = await import(`opencc-js/dict/${name}`);
  return dictionary.default.split('|').flatMap((line): [string, string][] => {
    const [from, to] = line.split(' ');
    // Only single characters: phrases matter to a converter, not to a filter.
    return from && to && [...from].length === 1 && [...to].length === 1 ? [[from, to]] : [];
  });
}
