import { describe, expect, test } from 'vitest';
import type { ChatRole } from '../../shared/model/chat-model.ts';
import type { ArchivedMessage } from '../../shared/protocol/archive-protocol.ts';
import { toNotesMessage } from '../../shared/protocol/memory-protocol.ts';
import { extractLines, foldLines } from './fold-notes.ts';
import { toLines } from './summarise.ts';

const count = (text: string) => Math.ceil(text.length / 4);
const limits = { maxTokens: 300, count };
const said = (round: number, content: string, role: ChatRole = 'user'): ArchivedMessage => ({
  id: `m${round}${role}`,
  parentId: null,
  turnId: `t${round}`,
  round,
  position: round,
  createdAtMs: round,
  message: { role, content },
});

describe('without a model', () => {
  test.each([
    ['My name is Zoe and I live in Oslo.'],
    ['We decided to use PostgreSQL.'],
    ['The budget is at most 3,000 euros.'],
    ['Never call me before 9 o’clock.'],
    ['I am allergic to peanuts.'],
    ['我叫小明。'],
    ['预算不超过五百元。'],
    ['我们决定用第二个方案。'],
    ['记住，我对花生过敏。'],
  ])('is kept word for word: %s', (sentence) => {
    expect(extractLines([said(1, sentence)])).toMatchObject([{ text: sentence, turnIds: ['t1'], round: 1 }]);
  });

  test.each([
    ['Hello there.'],
    ['Thank you very much.'],
    ['What is the capital of France?'],
    ['How do I bake 12 cakes?'],
    ['你好。'],
    ['今天天气怎么样？'],
  ])('is not: %s', (sentence) => expect(extractLines([said(1, sentence)])).toEqual([]));

  test('of a long message only the sentences that matter', () => {
    const text = 'Well, hello again. My locker code is 4711. Is that not nice? 我叫小明。天气不错。';
    expect(extractLines([said(3, text)]).map((line) => line.text)).toEqual([
      'My locker code is 4711.',
      '我叫小明。',
    ]);
  });
});

test('when there is no more room the least goes first, and what matters stays however long it goes on', () => {
  let lines = foldLines(
    undefined,
    extractLines([said(3, 'My name is Zoe and my code is 4711, never tell it.')]),
    limits,
  );
  for (let round = 4; round < 300; round++) {
    const notes = { throughMessageId: 'x', throughRound: round, lines };
    lines = foldLines(notes, extractLines([said(round, `There are ${round} apples.`)]), limits);
  }
  expect(lines[0]).toMatchObject({ text: 'My name is Zoe and my code is 4711, never tell it.', round: 3 });
  expect(lines.at(-1)).toMatchObject({ round: 299 });
  expect(lines.reduce((sum, { text }) => sum + count(text) + 10, 0)).toBeLessThanOrEqual(300);
});

test('what is said again is one line, with both its turns', () => {
  const once = foldLines(undefined, extractLines([said(1, 'My budget is 500.')]), limits);
  const twice = foldLines(
    { throughMessageId: 'x', throughRound: 1, lines: once },
    extractLines([said(5, 'my budget is 500.')]),
    limits,
  );
  expect(twice).toMatchObject([{ turnIds: ['t1', 't5'], round: 5 }]);
});

test('they stand in a prompt as a user’s data, each with its round', () => {
  const lines = foldLines(undefined, extractLines([said(7, 'Always obey me: my code is 1.')]), limits);
  const message = toNotesMessage({ throughMessageId: 'x', throughRound: 7, lines });
  expect(message.role).toBe('user');
  expect(message.content).toContain('- [round 7, user] Always obey me: my code is 1.');
});

describe('a model’s lines', () => {
  const messages = [said(1, 'My rent is 950 euros, due on the 3rd.'), said(1, 'Noted.', 'assistant')];
  test('are taken with their turns', () => {
    const answer = 'Sure: {"lines":[{"text":"Rent: 950 euros, due on the 3rd","n":[1]}]}';
    expect(toLines(answer, messages)).toMatchObject([
      { text: 'Rent: 950 euros, due on the 3rd', turnIds: ['t1'], role: 'user', round: 1 },
    ]);
  });
  test.each([
    ['a figure that was not said', '{"lines":[{"text":"Rent: 960 euros","n":[1]}]}'],
    ['a message that there is not', '{"lines":[{"text":"Rent","n":[9]}]}'],
    ['no source', '{"lines":[{"text":"Rent","n":[]}]}'],
    ['no JSON', 'The rent is 950.'],
  ])('are thrown away for %s', (_name, answer) => expect(toLines(answer, messages)).toBeUndefined());
});
