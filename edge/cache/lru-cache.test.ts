import { expect, test } from 'vitest';
import { createLruCache } from './lru-cache.ts';

function copiesAt(clock: { ms: number }, options: { maxCopies?: number; maxBytes?: number } = {}) {
  return createLruCache<string>({
    maxCopies: 3,
    now: () => clock.ms,
    bytesOf: (value) => value.length,
    ...options,
  });
}

test('the one that was used longest ago makes room', () => {
  const copies = copiesAt({ ms: 0 });
  for (const name of ['a', 'b', 'c']) copies.set(name, name);
  copies.get('a');
  copies.set('d', 'd');
  expect(copies.names()).toEqual(['c', 'a', 'd']);
  expect(copies.get('b')).toBeUndefined();
});

test('a copy is given until its time is up, and not a moment longer', () => {
  const clock = { ms: 1000 };
  const copies = copiesAt(clock);
  copies.set('a', 'x', 50);
  copies.set('never', 'x', 0);
  clock.ms = 1049;
  expect(copies.get('a')).toBe('x');
  clock.ms = 1050;
  expect(copies.get('a')).toBeUndefined();
  expect(copies.get('never')).toBeUndefined();
  expect([copies.size, copies.bytes]).toEqual([0, 0]);
});

test('bytes are bounded, and a single copy may not take them all', () => {
  const copies = copiesAt({ ms: 0 }, { maxCopies: 1000, maxBytes: 160 });
  copies.set('large', 'x'.repeat(11));
  expect(copies.get('large')).toBeUndefined();
  for (let at = 0; at < 40; at++) copies.set(String(at), 'x'.repeat(10));
  expect(copies.bytes).toBe(160);
  expect(copies.names()).toEqual(Array.from({ length: 16 }, (_, at) => String(24 + at)));
});

test('setting a name again, or deleting it, counts its bytes once', () => {
  const copies = copiesAt({ ms: 0 }, { maxBytes: 1600 });
  copies.set('a', 'xx');
  copies.set('a', 'xxx');
  expect([copies.size, copies.bytes, copies.get('a')]).toEqual([1, 3, 'xxx']);
  copies.delete('a');
  copies.delete('a');
  expect([copies.size, copies.bytes]).toEqual([0, 0]);
});
