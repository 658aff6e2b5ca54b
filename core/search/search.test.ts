import { expect, test } from 'vitest';
import { termsOf } from '../text/words.ts';
import { toVector } from './built-in-embedder.ts';
import { fuseRankings } from './reciprocal-rank-fusion.ts';

const cosine = (one: string, other: string) => {
  const [a, b] = [toVector(one), toVector(other)];
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
};

test('rankings are fused by the reciprocals of the places, with k = 60', () => {
  const fused = fuseRankings([
    ['a', 'b', 'c'],
    ['b', 'd'],
  ]);
  expect(fused.map(({ item }) => item)).toEqual(['b', 'a', 'd', 'c']);
  expect(fused[0]?.score).toBeCloseTo(1 / 62 + 1 / 61, 12);
});

test('terms are words in one form, and of Chinese pairs of characters, too', () => {
  expect(termsOf('The Cancelled CANCELS, ｃａｎｃｅｌ!')).toEqual(['cancell', 'cancel']);
  expect(termsOf('怎么取消订阅')).toEqual(expect.arrayContaining(['取消', '订阅', '消订']));
  expect(termsOf("what's the 'quote\\' of it?")).toContain('quote');
});

test('the built-in vectors are near for what is written alike', () => {
  expect(cosine('cancelling a subscription', 'How can I cancel my subscriptions')).toBeGreaterThan(0.5);
  expect(cosine('取消订阅的方法', '怎么取消我的订阅')).toBeGreaterThan(0.4);
  expect(cosine('cancelling a subscription', 'the weather in Oslo')).toBeLessThan(0.15);
  expect(Math.hypot(...toVector('one text'))).toBeCloseTo(1, 9);
  expect(Math.hypot(...toVector('?!'))).toBe(0);
});
