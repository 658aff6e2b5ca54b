import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type CompiledWords, readCompiledWords } from '../../../edge/filter/compiled-words.ts';
import { createFolding } from '../../../edge/filter/folding.ts';
import { createMaskingStream } from '../../../edge/filter/masking-stream.ts';
import type { PersonalDataLabel } from '../../../edge/filter/personal-data.ts';
import { PersonalDataScanner } from '../../../edge/filter/personal-data-scanner.ts';
import type { Scanner } from '../../../edge/filter/scanner.ts';
import { WordScanner } from '../../../edge/filter/word-scanner.ts';
import { seededRandom } from '../../../shared/testing/streams.ts';
import { runCommand } from '../../local/command.ts';
import { characterTable } from '../../local/filter-assets.ts';
import { compileWords } from '../../local/word-lists/compile-words.ts';
import { parseWordList, type WordEntry } from '../../local/word-lists/word-list.ts';
import { evasionClasses } from './evasions.ts';
import { inventedWords } from './word-samples.ts';

const read = (path: string) => readFileSync(join(import.meta.dirname, path), 'utf8');
const characters = await characterTable();
const folding = createFolding(characters);
const clean = { en: read('clean.en.txt'), zh: read('clean.zh.txt') };
const example = parseWordList(read('../../config/word-lists/words.example.txt'));
const invented = inventedWords(20_000);
const longList = parseWordList(`[mask]\n${[...invented.en, ...invented.zh].join('\n')}`);

const compile = (entries: readonly WordEntry[]) => readCompiledWords(compileWords(entries, folding));

function sizes(): CompiledWords {
  const bytes = compileWords(longList, folding);
  const words = readCompiledWords(bytes);
  const compiling = median(Array.from({ length: 10 }, () => timed(() => compileWords(longList, folding))));
  const reading = median(Array.from({ length: 10 }, () => timed(() => readCompiledWords(bytes))));
  const table = JSON.stringify(characters);
  print('20,000 words (half English, half Chinese), medians of 10');
  print(`  compiled, when the edge is built  ${compiling.toFixed(1)} ms, ${words.flags.length} nodes`);
  print(`  read by an isolate                ${reading.toFixed(2)} ms`);
  print(
    `  asset                             ${kilobytes(bytes.byteLength)}, ${kilobytes(gzipSync(bytes).length)} gzip`,
  );
  print(`  memory of an isolate              ${kilobytes(words.bytes)}`);
  print(`  table of characters               ${kilobytes(gzipSync(table).length)} gzip, 192 kB in memory`);
  return words;
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1024)} kB`;
}

function recall(words: CompiledWords): void {
  print('\nrecall of 20,000 words by evasion, 1,000 samples each, in clean text');
  const random = seededRandom(11);
  for (const { name, isMeant, of, evade } of evasionClasses(characters)) {
    const shares = (['en', 'zh'] as const).map((language) => {
      if (of !== 'both' && of !== language) return '     -';
      let found = 0;
      const list = invented[language];
      for (let sample = 0; sample < 1000; sample++) {
        const word = evade(list[random(list.length)] as string, random);
        const text = language === 'en' ? `so much for ${word}, they said` : `大家都说${word}的事情`;
        const at = text.indexOf(word);
        if (findings(words, text).some(({ start, end }) => start <= at && end >= at + bare(word))) found++;
      }
      return `${((found / 1000) * 100).toFixed(1).padStart(5)}%`;
    });
    print(
      `  ${name.padEnd(22)} en ${shares[0]}   zh ${shares[1]}${isMeant ? '' : '   (not meant to be found)'}`,
    );
  }
}

/** The length of a word without what may stay behind its last letter. */
function bare(word: string): number {
  return word.replace(/[\p{Default_Ignorable_Code_Point}\p{M}]+$/u, '').length;
}

function falsePositives(words: CompiledWords): void {
  print(
    '\nfound in clean text that holds none of the words ("-a -s -s" there is a list of options, read as separated letters)',
  );
  const rude = compile(
    parseWordList(
      'ass\nhell\ncum\npenis\nsex\ncock\ndick\nanal\nrape\narse\ntit\nshit\nchel\nhen\nwell\nill\n敏感词\n赌博\n赌馆\n傻瓜\n大笨蛋\n笨蛋',
    ),
  );
  const lists: [string, CompiledWords][] = [
    ['infra/config/word-lists/words.example.txt', compile(example)],
    ['short words that stand within others', rude],
    ['20,000 invented words', words],
  ];
  for (const [name, list] of lists) {
    const counts = (['en', 'zh'] as const).map((language) => {
      const found = findings(list, clean[language]);
      const shown = found
        .slice(0, 3)
        .map(({ start, end }) => JSON.stringify(clean[language].slice(start, end)));
      return `${language} ${found.length} in ${clean[language].length} characters${shown.length > 0 ? ` (${shown.join(', ')})` : ''}`;
    });
    print(`  ${name.padEnd(38)} ${counts.join(', ')}`);
  }
}

function findings(words: CompiledWords, text: string) {
  const scanner = new WordScanner(words, folding);
  scanner.read(text);
  scanner.end();
  return scanner.take();
}

const labels = new Set<PersonalDataLabel>(['email', 'phone', 'id-card', 'bank-card', 'secret']);

function costs(words: CompiledWords): void {
  print('\ncost of 1,000 characters, median of 9 runs of 1,000,000 characters');
  const plainWords = [...invented.en, ...invented.zh];
  for (const language of ['en', 'zh'] as const) {
    const text = clean[language].repeat(Math.ceil(1_000_000 / clean[language].length)).slice(0, 1_000_000);
    const deltas = text.match(/[\s\S]{1,4}/g) ?? [];
    const floor = perThousand(() => plainPass(text));
    const one = perThousand(() => stream(new WordScanner(words, folding), [text]));
    const cut = perThousand(() => stream(new WordScanner(words, folding), deltas));
    const bare = perThousand(() => stream(nothing(), deltas));
    const personal = perThousand(() => stream(new PersonalDataScanner(labels), deltas));
    const few = compile(longList.slice(9900, 10_100));
    const short = perThousand(() => stream(new WordScanner(few, folding), [text]));
    const part = text.slice(0, 10_000);
    const naive =
      median(Array.from({ length: 5 }, () => timed(() => plainWords.filter((word) => part.includes(word))))) /
      10;
    const row = (name: string, ms: number) =>
      print(
        `  ${language} ${name.padEnd(44)} ${(ms * 1000).toFixed(1).padStart(8)} µs  ${(ms / floor).toFixed(1).padStart(8)} x the plain pass`,
      );
    row('plain pass: case folded, compared with a table', floor);
    row('words, whole text', one);
    row('words, whole text, 200 words in the list', short);
    row('words, deltas of 4 characters', cut);
    row('the stream alone, deltas of 4 characters', bare);
    row('personal data, deltas of 4 characters', personal);
    row('20,000 times String.includes, nothing folded', naive);
  }
}

/** The least that any filter does: look at each character once. */
function plainPass(text: string): number {
  const table = new Uint8Array(0x10000).fill(1, 0x41, 0x5b);
  let sum = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    sum = (sum + code + ((table[code] as number) << 5)) | 0;
  }
  return sum;
}

function nothing(): Scanner {
  let offset = 0;
  return {
    read: (text) => {
      offset += text.length;
    },
    end: () => undefined,
    breakOff: () => undefined,
    clearTo: () => offset,
    take: () => [],
  };
}

function stream(scanner: Scanner, deltas: readonly string[]): number {
  const through = createMaskingStream(scanner, () => '***');
  let length = 0;
  for (const delta of deltas) length += through.push(delta).length;
  return length + through.end().length;
}

function perThousand(work: () => unknown): number {
  work();
  return median(Array.from({ length: 9 }, () => timed(work))) / 1000;
}

function timed(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function median(times: number[]): number {
  return times.sort((a, b) => a - b)[times.length >> 1] as number;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

await runCommand({
  name: 'npm run bench:filter',
  summary:
    'Prints what the word filter finds of each way to hide a word and in clean texts, its cost beside a plain pass and a ' +
    'search word by word, and the cost of building a list of 20,000 words.',
  example: 'npm run bench:filter',
  async run() {
    const words = sizes();
    recall(words);
    falsePositives(words);
    costs(words);
  },
});
