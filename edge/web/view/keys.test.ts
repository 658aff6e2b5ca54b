import { expect, test } from 'vitest';
import { isDone } from './keys.ts';

const press = (fields: object) =>
  ({ key: 'Enter', shiftKey: false, isComposing: false, keyCode: 13, ...fields }) as KeyboardEvent;

test.each([
  ['Enter', {}, true],
  ['Enter with Shift, which begins a line', { shiftKey: true }, false],
  ['Enter of an input method', { isComposing: true }, false],
  ['Enter of an input method in a browser that says no more', { keyCode: 229 }, false],
  ['another key', { key: 'a' }, false],
])('%s', (_name, fields, done) => {
  expect(isDone(press(fields))).toBe(done);
});
