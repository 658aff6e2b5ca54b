/** The sets of `npm run bench:cache`, held in every run of the tests. */
import { describe, expect, test } from 'vitest';
import { differs } from '../../../edge/cache/meaning/differs.ts';
import { createQuestionReader } from '../../../edge/cache/meaning/question-form.ts';
import { questionWords } from '../../../edge/cache/meaning/question-words.ts';
import { readPairs } from './question-sets.ts';

const readQuestion = createQuestionReader(questionWords);

const adversarial = [...readPairs('adversarial'), ...readPairs('adversarial.held-out')];
const judge = (one: string, other: string, finder: 'wording' | 'meaning') =>
  differs(readQuestion(one), readQuestion(other), finder);

test('there are enough pairs, of every class, in both languages, and none twice', () => {
  expect(adversarial.length).toBeGreaterThanOrEqual(400);
  expect(new Set(adversarial.map(({ one, other }) => `${one}|${other}`)).size).toBe(adversarial.length);
  for (const group of ['negation', 'number', 'unit', 'date', 'name', 'direction', 'scope', 'language']) {
    expect(adversarial.filter((pair) => pair.group === group).length, group).toBeGreaterThanOrEqual(10);
  }
  const chinese = adversarial.filter(({ one }) => /[\u4e00-\u9fff]/.test(one)).length;
  expect(chinese).toBeGreaterThan(adversarial.length / 4);
});

describe.each(['wording', 'meaning'] as const)('found by %s', (finder) => {
  test('no adversarial pair shares an answer, whichever question comes first', () => {
    const wrong = adversarial.filter(
      ({ one, other }) => !judge(one, other, finder) || !judge(other, one, finder),
    );
    expect(wrong).toEqual([]);
  });

  test.each([
    ['paraphrases', 0.6],
    ['paraphrases.held-out', 0.5],
  ] as const)('of the %s at least %d do', (set, share) => {
    const pairs = readPairs(set);
    const found = pairs.filter(({ one, other }) => !judge(one, other, finder));
    expect(found.length / pairs.length).toBeGreaterThan(share);
  });
});

test('a question serves itself, whatever it is', () => {
  for (const { one } of adversarial.filter(({ group }) => group !== 'language')) {
    expect(judge(one, one, 'wording'), one).toBeUndefined();
  }
});
