import { expect, test } from 'vitest';
import { parseInteger } from './query.ts';

const bounds = { fallback: 20, min: 1, max: 500 };

test.each([
  [undefined, 20],
  ['1', 1],
  ['0500', 500],
])('%s is %i', (text, value) => {
  expect(parseInteger(text, 'limit', bounds)).toBe(value);
});

test.each(['', '0', '501', '-1', '+1', '1.5', '1e2', ' 1', '０', 'x', '9'.repeat(17)])(
  '"%s" is refused, and the field named',
  (text) => {
    expect(() => parseInteger(text, 'limit', bounds)).toThrow(
      expect.objectContaining({
        code: 'invalid_value',
        param: 'limit',
        message: "'limit' must be a whole number from 1 to 500.",
      }),
    );
  },
);
