import { expect, test } from 'vitest';
import { answerEntry } from './answer-store.contract.ts';
import { EVERYBODY } from './answer-store.ts';
import { createLocationAnswers } from './location-answers.ts';

test('keeps an answer for its tenant and scope, while it is fresh', async () => {
  let nowMs = Date.now();
  const answers = createLocationAnswers(
    () => caches.default,
    () => nowMs,
  );
  const entry = answerEntry({ scope: 'ann', freshUntilMs: nowMs + 30_000 });
  await answers.keep('a/b', entry);
  expect(await answers.find('a/b', entry.key, [EVERYBODY, 'ann'])).toEqual(entry);
  expect(await answers.find('a/b', entry.key, [EVERYBODY, 'ben'])).toBeUndefined();
  expect(await answers.find('a', `b/${entry.key}`, ['ann'])).toBeUndefined();
  nowMs += 30_001;
  expect(await answers.find('a/b', entry.key, ['ann'])).toBeUndefined();
});

test('a platform without a cache is tried once', async () => {
  let attempts = 0;
  const answers = createLocationAnswers(() => {
    attempts++;
    throw new Error('no cache was configured');
  }, Date.now);
  await answers.keep('t', answerEntry());
  expect(await answers.find('t', answerEntry().key, [EVERYBODY])).toBeUndefined();
  expect(attempts).toBe(1);
});
