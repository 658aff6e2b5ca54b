import { expect, test } from 'vitest';
import { findDuplicateKey } from './duplicate-key.ts';

test.each([
  ['{"a":1,"a":2}', 'a'],
  ['{"a":{"b":1,"c":[{"d":1},{"e":2,"e":3}]}}', 'a.c[1].e'],
  ['[{"x":1},{"x":1,"y":[],"x":2}]', '[1].x'],
  ['{"a":1,"\\u0061":2}', 'a'],
  ['{"":1,"":2}', ''],
  ['{"a\\"b":1,"a\\"b":2}', 'a"b'],
])('%s', (json, path) => {
  expect(findDuplicateKey(json)).toBe(path);
});

test.each([
  '{}',
  '[]',
  '"a"',
  '{"a":"a","b":"a"}',
  '{"a":{"a":{"a":1}}}',
  '[{"a":1},{"a":1}]',
  '{"a":"{\\"a\\":1,\\"a\\":2}"}',
  '{"a":"\\\\","b":"\\\\\\"","c":","}',
  '{"a":[1,2,{"b":[]}],"b":[{}]}',
])('%s has none', (json) => {
  JSON.parse(json);
  expect(findDuplicateKey(json)).toBeUndefined();
});
