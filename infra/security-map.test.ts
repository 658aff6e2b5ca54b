/** `SECURITY.md` names a test for each threat; a test that has gone would leave a promise behind. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from './local/settings.ts';

const map = readFileSync(join(projectRoot, 'SECURITY.md'), 'utf8');
const rows = map.split('\n').filter((line) => /^\| (?:API|LLM|\d)/.test(line));

test('every threat has a row, and every row a test or a reason', () => {
  for (const list of ['API', 'LLM']) {
    const numbers = rows.flatMap((row) => row.match(new RegExp(`^\\| ${list}(\\d+) `))?.[1] ?? []);
    expect(numbers.map(Number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  }
  for (const row of rows) expect(row, row).toMatch(/`[\w./-]+\.(?:test|contract)\.ts`|no test;/);
});

test('every file named is there', () => {
  const named = [...map.matchAll(/`([\w./-]+\.(?:ts|json|md))`/g)].map(([, path = '']) => path);
  expect(named.length).toBeGreaterThan(40);
  for (const path of named) expect(existsSync(join(projectRoot, path)), path).toBe(true);
});
