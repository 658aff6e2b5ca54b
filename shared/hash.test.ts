import { expect, test } from 'vitest';
import { sha256, sha256Hex } from './hash.ts';

test('is SHA-256 (the example of FIPS 180-4)', async () => {
  const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  expect(await sha256Hex('abc')).toBe(expected);
  expect(await sha256Hex(new TextEncoder().encode('abc'))).toBe(expected);
  expect((await sha256('abc')).length).toBe(32);
});
