import { describe, expect, test } from 'vitest';
import { loadTokenCounter } from './token-counter.ts';

describe.each(['o200k_base', 'cl100k_base'] as const)('%s', (encoding) => {
  test('counts as the tokenizer does', async () => {
    const count = await loadTokenCounter(encoding);
    expect(count('hello world')).toBe(2);
    expect(count('')).toBe(0);
    expect(count('<|endoftext|>')).toBeGreaterThan(1);
  });

  test('is not slowed down by a long text without a break', async () => {
    const count = await loadTokenCounter(encoding);
    count('warm');
    const time = (chars: number) => {
      const startMs = performance.now();
      expect(count('x'.repeat(chars))).toBeLessThanOrEqual(chars);
      return performance.now() - startMs;
    };
    time(100_000);
    // Ten times the text takes about ten times as long, not a hundred times.
    expect(time(1_000_000)).toBeLessThan(50 * Math.max(1, time(100_000)));
  });

  test('estimates a text that is dear to count, closely and in a fraction of the time', async () => {
    const count = await loadTokenCounter(encoding);
    const dear = '1 1-'.repeat(250_000);
    const part = count(dear.slice(0, 20_000));
    const startMs = performance.now();
    const tokens = count(dear);
    expect(performance.now() - startMs).toBeLessThan(500);
    expect(tokens / (part * 50)).toBeCloseTo(1, 1);
    // What stands only at the end counts, too.
    const mixed = 'word '.repeat(100_000) + '1 1-'.repeat(125_000);
    expect(count(mixed)).toBeGreaterThan(1.5 * 100_000);
  });

  test('stays close to the whole count', async () => {
    const count = await loadTokenCounter(encoding);
    const sentence = 'The quick brown fox jumps over the lazy dog. 敏捷的棕色狐狸跳过了懒狗。 ';
    const one = count(sentence);
    expect(count(sentence.repeat(300)) / (one * 300)).toBeLessThan(1.02);
  });
});
