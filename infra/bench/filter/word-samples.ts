/** Words that mean nothing, as many as are wanted: what a long list looks like, without its words. */
import { seededRandom } from '../../../shared/testing/streams.ts';

const onsets = [
  'b',
  'br',
  'c',
  'cl',
  'd',
  'dr',
  'f',
  'fl',
  'g',
  'gr',
  'k',
  'l',
  'm',
  'n',
  'p',
  'pl',
  'r',
  's',
  'sk',
  'st',
  't',
  'tr',
  'v',
  'w',
  'z',
];
const nuclei = ['a', 'e', 'i', 'o', 'u', 'oo', 'ai'];
const codas = ['b', 'ck', 'd', 'g', 'lk', 'm', 'nk', 'p', 'rt', 'sk', 't', 'x', 'zz'];
const firstHan = 0x4e00;
/** Common characters come first by no order of Unicode's; any of these will do. */
const hanCount = 6000;

/** @returns half English, half Chinese, all different */
export function inventedWords(count: number, seed = 1): { en: string[]; zh: string[] } {
  const random = seededRandom(seed);
  const pick = (list: readonly string[]) => list[random(list.length)] as string;
  const en = new Set<string>();
  const zh = new Set<string>();
  while (en.size < count / 2) {
    let word = '';
    for (let syllables = 2 + random(2); syllables > 0; syllables--) word += pick(onsets) + pick(nuclei);
    en.add(word + pick(codas));
  }
  while (zh.size < count / 2) {
    let word = '';
    for (let length = 2 + random(3); length > 0; length--)
      word += String.fromCharCode(firstHan + random(hanCount));
    zh.add(word);
  }
  return { en: [...en], zh: [...zh] };
}
