import { expect, test, vi } from 'vitest';
import { loadOnce } from './load-once.ts';

test('a part is fetched once, for all who want it', async () => {
  const fetchPart = vi.fn(async () => 'part');
  const load = loadOnce(fetchPart);
  expect(fetchPart).not.toHaveBeenCalled();
  expect(await Promise.all([load(), load()])).toEqual(['part', 'part']);
  expect(await load()).toBe('part');
  expect(fetchPart).toHaveBeenCalledOnce();
});

test('a fetch that failed gives nothing, and is tried again by the next who wants it', async () => {
  const fetchPart = vi.fn(async () => 'part').mockRejectedValueOnce(new Error('no network'));
  const load = loadOnce(fetchPart);
  expect(await Promise.all([load(), load()])).toEqual([undefined, undefined]);
  expect(await load()).toBe('part');
  expect(fetchPart).toHaveBeenCalledTimes(2);
});
