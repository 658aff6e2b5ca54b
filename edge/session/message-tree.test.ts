import { expect, test } from 'vitest';
import type { ChatMessage } from '../../shared/model/chat-model.ts';
import type { StoredMessage } from './context-store.ts';
import { repeatedQuestion } from './message-tree.ts';

let number = 0;
const stored = (turnId: string, message: ChatMessage): StoredMessage => ({
  id: `m${++number}`,
  parentId: null,
  turnId,
  round: 1,
  createdAtMs: 0,
  message,
});
const user = (content: string): ChatMessage => ({ role: 'user', content });
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });

test('a question without an answer is repeated by the same messages', () => {
  const path = [stored('t1', user('a')), stored('t1', assistant('b')), stored('t2', user('c'))];
  expect(repeatedQuestion(path, [user('c')])).toEqual([path[2]]);
  expect(repeatedQuestion(path, [user('d')])).toBeUndefined();
  expect(repeatedQuestion(path, [user('c'), user('c')])).toBeUndefined();
});

test('a question of several messages is repeated by all of them', () => {
  const path = [stored('t1', user('a')), stored('t1', user('b'))];
  expect(repeatedQuestion(path, [user('a'), user('b')])).toEqual(path);
  expect(repeatedQuestion(path, [user('b')])).toBeUndefined();
});

test('a question with an answer is asked anew', () => {
  expect(
    repeatedQuestion([stored('t1', user('a')), stored('t1', assistant('b'))], [user('a')]),
  ).toBeUndefined();
  const alone = [stored('t2', assistant('an answer given again'))];
  expect(repeatedQuestion(alone, [assistant('an answer given again')])).toBeUndefined();
  expect(repeatedQuestion([], [user('a')])).toBeUndefined();
});
