import { expect, test } from 'vitest';
import { createLruCache } from './lru-cache.ts';

function cacheAt(clock: { ms: number }, options: { maxEntries?: number; maxBytes?: number } = {}) {
  return createLruCache<string>({
    maxEntries: 3,
    now: () => clock.ms,
    bytesOf: (value) => value.length,
    ...options,
  });
}

test('evicts the least recently used entry', () => {
  const cache = cacheAt({ ms: 0 });
  for (const key of ['a', 'b', 'c']) cache.set(key, key);
  cache.get('a');
  cache.set('d', 'd');
  expect(cache.keys()).toEqual(['c', 'a', 'd']);
  expect(cache.get('b')).toBeUndefined();
});

test('returns an entry until it expires', () => {
  const clock = { ms: 1000 };
  const cache = cacheAt(clock);
  cache.set('a', 'x', 50);
  cache.set('never', 'x', 0);
  clock.ms = 1049;
  expect(cache.get('a')).toBe('x');
  clock.ms = 1050;
  expect(cache.get('a')).toBeUndefined();
  expect(cache.get('never')).toBeUndefined();
  expect([cache.size, cache.bytes]).toEqual([0, 0]);
});

test('bounds all bytes, and the share of a single entry', () => {
  const cache = cacheAt({ ms: 0 }, { maxEntries: 1000, maxBytes: 160 });
  cache.set('large', 'x'.repeat(11));
  expect(cache.get('large')).toBeUndefined();
  for (let at = 0; at < 40; at++) cache.set(String(at), 'x'.repeat(10));
  expect(cache.bytes).toBe(160);
  expect(cache.keys()).toEqual(Array.from({ length: 16 }, (_, at) => String(24 + at)));
});

test('counts the bytes of a key once when it is set again or deleted', () => {
  const cache = cacheAt({ ms: 0 }, { maxBytes: 1600 });
  cache.set('a', 'xx');
  cache.set('a', 'xxx');
  expect([cache.size, cache.bytes, cache.get('a')]).toEqual([1, 3, 'xxx']);
  cache.delete('a');
  cache.delete('a');
  expect([cache.size, cache.bytes]).toEqual([0, 0]);
});
