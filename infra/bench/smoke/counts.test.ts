import { expect, test } from 'vitest';
import { type Counts, readCounts, regressions } from './counts.ts';

test('a count that is worse than the committed one is a regression, a better one is not', async () => {
  const committed = await readCounts();
  expect(regressions(committed, committed)).toEqual([]);
  const names = Object.keys(committed) as (keyof Counts)[];
  for (const name of names) {
    expect(regressions({ ...committed, [name]: committed[name] * 1.5 + 1 }, committed)).toHaveLength(1);
    expect(regressions({ ...committed, [name]: committed[name] / 2 }, committed)).toEqual([]);
  }
});
