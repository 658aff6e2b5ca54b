import { beforeEach, expect, test } from 'vitest';
import { browser } from '../testing/browser-globals.ts';
import { createOutbox, type Outgoing } from './outbox.ts';

const entry = (key: string): Outgoing => ({
  key,
  text: `text of ${key}`,
  images: [],
  model: 'auto',
  knowledge: false,
  askedAtMs: 1,
});
const name = 'edgewise.outbox.s1';
const storage = browser.sessionStorage;
beforeEach(() => {
  storage.isFull = false;
  storage.clear();
});

test('entries are there after a reload, in the order in which they were added', () => {
  const outbox = createOutbox('s1', storage);
  outbox.add(entry('a'));
  outbox.add(entry('b'));
  expect(createOutbox('s1', storage).entries).toEqual([entry('a'), entry('b')]);
  expect(createOutbox('s2', storage).entries).toEqual([]);
});

test('one that is removed does not come back, and the last one leaves nothing behind', () => {
  const outbox = createOutbox('s1', storage);
  outbox.add(entry('a'));
  outbox.add(entry('b'));
  outbox.remove('a');
  expect(createOutbox('s1', storage).entries).toEqual([entry('b')]);
  outbox.remove('b');
  outbox.remove('b');
  expect(storage.getItem(name)).toBeNull();
});

test('a full storage costs what a reload would bring back, and nothing else', () => {
  const outbox = createOutbox('s1', storage);
  outbox.add(entry('a'));
  storage.isFull = true;
  outbox.add(entry('b'));
  expect(outbox.entries).toEqual([entry('a'), entry('b')]);
  expect(createOutbox('s1', storage).entries).toEqual([entry('a')]);
  storage.isFull = false;
  outbox.remove('a');
  expect(createOutbox('s1', storage).entries).toEqual([entry('b')]);
});
