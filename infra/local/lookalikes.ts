/**
 * Characters that are read as others where Unicode's compatibility forms do not say so: a choice of what is
 * met in evasions, in the spirit of UTS #39's confusables and far smaller. Goes into the table that is built as
 * an asset, and not into the Worker.
 */

/** A Latin letter, then what looks like it: Cyrillic, Greek, Armenian, Cherokee, IPA, small capitals. */
const groups = [
  'aаαɑᴀɐꭺ bьвʙβɓꮟ cсςᴄƈꮯ dԁᴅɗđꭰ eеєҽᴇɛəεꬲꮛ fϝғꜰƒẝ gɡցɢɠԍ hһнʜհħɦη iіıɩɪιӏꭵ jјʝᴊϳ kкκᴋƙқĸ lʟłɭꮮ mмᴍɱ',
  'nпողɴɲŋνռ oоοօσᴏøɵөѳ pрρᴘþƥ qԛզɋ rгᴦʀɾɍꭇ sѕꜱʂꮪ tтτᴛƭŧ uυսᴜʊцʉμ vѵᴠʋⱱ wԝωѡᴡɯ xхχҳ yуүγʏƴ zᴢʐƶʑ',
];

/** Look-alike -> letter, all in lower case. */
export const lookalikes: readonly (readonly [character: string, letter: string])[] = groups
  .flatMap((group) => group.split(' '))
  .flatMap(([letter = '', ...others]) => others.map((other) => [other, letter] as const));
