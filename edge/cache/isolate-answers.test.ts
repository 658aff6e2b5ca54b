import { describe, expect, test } from 'vitest';
import { answerEntry } from './answer-store.contract.ts';
import { EVERYBODY } from './answer-store.ts';
import { createIsolateAnswers } from './isolate-answers.ts';

const MB = 1024 * 1024;
let nowMs = Date.now();
const open = (maxBytes = MB) => createIsolateAnswers(maxBytes, () => nowMs);

test('returns an answer to its tenant and scopes only', () => {
  const answers = open();
  answers.keep('t', answerEntry({ key: 'k', scope: 'ann' }));
  expect(answers.find('t', 'k', [EVERYBODY, 'ann'])).toBeDefined();
  expect(answers.find('t', 'k', [EVERYBODY, 'ben'])).toBeUndefined();
  expect(answers.find('other', 'k', [EVERYBODY, 'ann'])).toBeUndefined();
  answers.clear('t');
  expect(answers.find('t', 'k', [EVERYBODY, 'ann'])).toBeUndefined();
});

test('does not mix up keys whose parts join to the same text', () => {
  const answers = open();
  answers.keep('a', answerEntry({ key: 'k', scope: 'b c' }));
  expect(answers.find('a', 'k b', ['c'])).toBeUndefined();
  expect(answers.find('a k', 'b', ['c'])).toBeUndefined();
});

describe('an answer stays', () => {
  test('for a minute at most, so that a removal elsewhere takes effect', () => {
    const answers = open();
    answers.keep('t', answerEntry({ key: 'k', freshUntilMs: nowMs + 3_600_000 }));
    nowMs += 59_000;
    expect(answers.find('t', 'k', [EVERYBODY])).toBeDefined();
    nowMs += 2000;
    expect(answers.find('t', 'k', [EVERYBODY])).toBeUndefined();
  });

  test('no longer than it is fresh', () => {
    const answers = open();
    answers.keep('t', answerEntry({ key: 'k', freshUntilMs: nowMs + 1000 }));
    answers.keep('t', answerEntry({ key: 'old', freshUntilMs: nowMs }));
    expect(answers.find('t', 'old', [EVERYBODY])).toBeUndefined();
    nowMs += 1001;
    expect(answers.find('t', 'k', [EVERYBODY])).toBeUndefined();
  });
});

test('stays within its bytes after a million distinct answers', () => {
  const maxBytes = 8 * MB;
  const answers = open(maxBytes);
  const texts = Array.from({ length: 64 }, (_, index) => 'x'.repeat(index * 200));
  for (let index = 0; index < 1_000_000; index++) {
    const said = [{ type: 'text-delta' as const, text: `${index} ${texts[index % 64]}` }];
    answers.keep(
      't',
      answerEntry({
        key: String(index),
        freshUntilMs: nowMs + 60_000,
        answer: { model: 'm', provider: 'p', said },
      }),
    );
    if (index % 1000 === 0) expect(answers.bytes).toBeLessThanOrEqual(maxBytes);
  }
  expect(answers.bytes).toBeLessThanOrEqual(maxBytes);
  expect(answers.bytes).toBeGreaterThan(maxBytes / 2);
  expect(answers.find('t', '999999', [EVERYBODY])).toBeDefined();
}, 60_000);
