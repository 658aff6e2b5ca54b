import { expect, test } from 'vitest';
import { measureRecall } from './measure-recall.ts';

test('what answers a question is among the first five, and both rankings together lose nothing to the better one', {
  timeout: 120_000,
}, async () => {
  const { questions, recallAt5 } = await measureRecall();
  expect(questions).toBeGreaterThanOrEqual(48);
  // As measured: the questions avoid the words of the passages on purpose, and the built-in vectors know no synonyms.
  expect(recallAt5.hybrid).toBeGreaterThanOrEqual(0.74);
  expect(recallAt5['text only']).toBeGreaterThanOrEqual(0.62);
  expect(recallAt5['vectors only']).toBeGreaterThanOrEqual(0.74);
  expect(recallAt5.hybrid).toBeGreaterThanOrEqual(recallAt5['text only'] - 0.02);
});
