/** The filter in workerd: it uses the runtime's Unicode tables, which must give the same results as Node's. */
import { expect, test } from 'vitest';
import { compileWords } from '../../infra/local/word-lists/compile-words.ts';
import { parseWordList } from '../../infra/local/word-lists/word-list.ts';
import { readCompiledWords } from './compiled-words.ts';
import { createFolding } from './folding.ts';
import { loadFolding } from './load-folding.ts';
import { createMaskingStream } from './masking-stream.ts';
import { WordScanner } from './word-scanner.ts';

const table = { from: '詞неѕ', to: '词hes' };

test.each([
  [
    'the 𝐡𝐞𝐥𝐥 ⓗⓔⓛⓛ ｈｅｌｌ h\u0301e\u200bl\u00adl 🅷🅴🅻🅻 неll h3ll h-e-l-l',
    'the *** *** *** *** *** *** *** ***',
  ],
  ['hello shell hell’s', 'hello shell ***’s'],
  ['敏 感 詞 敏。感。词', '*** ***'],
])('masks %s', (text, result) => {
  const folding = createFolding(table);
  const words = readCompiledWords(compileWords(parseWordList('hell\n敏感词'), folding));
  const stream = createMaskingStream(new WordScanner(words, folding), () => '***');
  const out = [...text].map((character) => stream.push(character)).join('') + stream.end();
  expect(out).toBe(result);
});

test('the table is read from the assets only once', async () => {
  let fetched = 0;
  const assets = {
    fetch: async (url: RequestInfo | URL) => {
      fetched++;
      expect(String(url)).toBe('https://assets/filter/characters.json');
      return fetched === 1 ? new Response('', { status: 404 }) : Response.json(table);
    },
  } as Pick<Fetcher, 'fetch'>;
  await expect(loadFolding(assets)).rejects.toThrow('404');
  const folding = await loadFolding(assets);
  expect(await loadFolding(assets)).toBe(folding);
  expect(fetched).toBe(2);
});
