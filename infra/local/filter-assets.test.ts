import { expect, test } from 'vitest';
import { characterTable, lookalikes } from './filter-assets.ts';

test('each character of the table maps to one other, which maps to itself', async () => {
  const table = await characterTable();
  const [from, to] = [[...table.from], [...table.to]];
  expect(from.length).toBe(to.length);
  expect(new Set(from).size).toBe(from.length);
  const known = new Set(from);
  expect(to.filter((character) => known.has(character))).toEqual([]);
  // The filter looks up decomposed characters in lower case.
  for (const character of from) expect(character.normalize('NFKD').toLowerCase()).toBe(character);
});

test('traditional forms and variants map to simplified ones', async () => {
  const table = await characterTable();
  const to = [...table.to];
  const readAs = new Map([...table.from].map((character, at) => [character, to[at]]));
  for (const [traditional, simplified] of ['詞词', '髮发', '發发', '裡里', '裏里', '羣群', '檯台']) {
    expect(readAs.get(traditional as string)).toBe(simplified);
  }
});

test('look-alikes map to Latin letters', () => {
  for (const [character, letter] of lookalikes) {
    expect([...character]).toHaveLength(1);
    expect(letter).toMatch(/^[a-z]$/);
    expect(character.codePointAt(0)).toBeGreaterThan(0x7f);
  }
});
