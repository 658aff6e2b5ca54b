import { expect, test } from 'vitest';
import { characterTable } from './filter-assets.ts';
import { lookalikes } from './lookalikes.ts';

test('each character of the table is read as one other, and that as itself', async () => {
  const table = await characterTable();
  const [from, to] = [[...table.from], [...table.to]];
  expect(from.length).toBe(to.length);
  expect(new Set(from).size).toBe(from.length);
  const known = new Set(from);
  expect(to.filter((character) => known.has(character))).toEqual([]);
  // The filter looks up what is decomposed and in lower case.
  for (const character of from) expect(character.normalize('NFKD').toLowerCase()).toBe(character);
});

test('traditional forms and variants are read as simplified ones', async () => {
  const table = await characterTable();
  const to = [...table.to];
  const readAs = new Map([...table.from].map((character, at) => [character, to[at]]));
  for (const [traditional, simplified] of ['詞词', '髮发', '發发', '裡里', '裏里', '羣群', '檯台']) {
    expect(readAs.get(traditional as string)).toBe(simplified);
  }
});

test('look-alikes stand for letters', () => {
  for (const [character, letter] of lookalikes) {
    expect([...character]).toHaveLength(1);
    expect(letter).toMatch(/^[a-z]$/);
    expect(character.codePointAt(0)).toBeGreaterThan(0x7f);
  }
});
