import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../shared/testing/streams.ts';
import { Evidence, type Observation } from './error-bound.ts';

const right = (similarity: number): Observation => ({ similarity, wasRight: true });
const wrong = (similarity: number): Observation => ({ similarity, wasRight: false });
const times = (count: number, observation: Observation) => Array.from({ length: count }, () => observation);

const mayAnswer = (evidence: readonly Observation[], similarity: number, options: { delta: number }) =>
  new Evidence(evidence).mayAnswer(similarity, options);

test('serves nothing without evidence or with little evidence', () => {
  expect(mayAnswer([], 1, { delta: 0.02 })).toBe(false);
  expect(mayAnswer(times(4, right(1)), 1, { delta: 0.5 })).toBe(false);
  expect(mayAnswer(times(5, right(1)), 1, { delta: 0.001 })).toBe(false);
});

test('serves questions at least as similar as the evidence', () => {
  const evidence = [...times(40, right(0.95)), ...times(10, wrong(0.6))];
  expect(mayAnswer(evidence, 0.97, { delta: 0.02 })).toBe(true);
  expect(mayAnswer(evidence, 0.6, { delta: 0.02 })).toBe(false);
  const known = new Evidence(evidence);
  expect(known.errorChance(0.99)).toBeLessThan(known.errorChance(0.8));
});

test('mistakes withdraw the answer', () => {
  const evidence = times(60, right(0.95));
  expect(mayAnswer(evidence, 0.95, { delta: 0.02 })).toBe(true);
  expect(mayAnswer([...evidence, ...times(2, wrong(0.95))], 0.95, { delta: 0.02 })).toBe(false);
});

/**
 * Entries with several true curves, some of which break the assumption: one is independent of similarity, and one is
 * never quite right.
 */
const truths: readonly ((similarity: number) => number)[] = [
  (similarity) => (similarity > 0.7 ? 1 : 0),
  (similarity) => (similarity > 0.9 ? 1 : 0.1),
  (similarity) => 1 / (1 + Math.exp(-30 * (similarity - 0.8))),
  (similarity) => 1 / (1 + Math.exp(-12 * (similarity - 0.6))),
  () => 0.7,
  () => 0.95,
  () => 1,
  () => 0,
];
const PROMPTS_PER_ENTRY = 400;

function simulate(seed: number, delta: number): { served: number; wrong: number; prompts: number } {
  const random = seededRandom(seed);
  const chance = () => random(1_000_000) / 1_000_000;
  let served = 0;
  let mistakes = 0;
  for (const truth of truths) {
    const evidence = new Evidence();
    for (let prompt = 0; prompt < PROMPTS_PER_ENTRY; prompt++) {
      const similarity = 0.5 + chance() / 2;
      const wasRight = chance() < truth(similarity);
      // The cache sends one in twenty of the questions that it could answer to the model.
      if (evidence.mayAnswer(similarity, { delta }) && chance() > 0.05) {
        served++;
        if (!wasRight) mistakes++;
      } else evidence.add({ similarity, wasRight });
    }
  }
  return { served, wrong: mistakes, prompts: truths.length * PROMPTS_PER_ENTRY };
}

describe.each([0.01, 0.02, 0.05, 0.1])('with delta %d', (delta) => {
  test('the measured error stays below it, over prompts with known truth', () => {
    let served = 0;
    let prompts = 0;
    let mistakes = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const run = simulate(seed, delta);
      // As a share of all prompts, as vCache counts.
      expect(run.wrong / run.prompts, `seed ${seed}`).toBeLessThanOrEqual(delta);
      served += run.served;
      prompts += run.prompts;
      mistakes += run.wrong;
    }
    // As a share of the served answers, which is stricter.
    expect(mistakes / served).toBeLessThanOrEqual(delta);
    // Serving nothing would satisfy the bound, too.
    expect(served / prompts).toBeGreaterThan(0.1);
  }, 60_000);
});
