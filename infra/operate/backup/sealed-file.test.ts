import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseBackupKey, SealError, sealTo, unseal } from './sealed-file.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'edgewise-seal-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const key = randomBytes(32);
const MIB = 1024 * 1024;

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
async function read(path: string, name = 'one', withKey = key): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of unseal(path, { key: withKey, name })) pieces.push(piece);
  return Buffer.concat(pieces);
}

test.each([0, 1, 1000, MIB - 1, MIB, MIB + 1, 3 * MIB, 3 * MIB + 17])(
  '%i bytes come back as they were',
  async (size) => {
    const path = join(dir, `size-${size}`);
    const bytes = randomBytes(size);
    const sealed = await sealTo(path, inChunks(bytes, 70_001), { key, name: 'one' });
    expect(sealed.bytes).toBe(size);
    expect((await read(path)).equals(bytes)).toBe(true);
    if (size >= 1000) expect(readFileSync(path).includes(bytes.subarray(0, 64))).toBe(false);
  },
);

describe('a changed sealed file fails to open:', () => {
  const bytes = randomBytes(2 * MIB + 500);
  let whole: Buffer;
  beforeAll(async () => {
    const path = join(dir, 'whole');
    await sealTo(path, inChunks(bytes, MIB), { key, name: 'one' });
    whole = readFileSync(path);
  });
  const piece = MIB + 16;
  const head = () => whole.length - (2 * piece + 516);

  test.each([
    ['one bit turned', () => flip(whole, whole.length - 100)],
    ['one bit of the salt turned', () => flip(whole, 20)],
    ['the last piece gone', () => whole.subarray(0, head() + 2 * piece)],
    ['cut in the middle of a piece', () => whole.subarray(0, head() + piece + 99)],
    ['cut within the head', () => whole.subarray(0, 10)],
    [
      'two pieces swapped',
      () =>
        Buffer.concat([
          whole.subarray(0, head()),
          whole.subarray(head() + piece, head() + 2 * piece),
          whole.subarray(head(), head() + piece),
          whole.subarray(head() + 2 * piece),
        ]),
    ],
    ['something added', () => Buffer.concat([whole, Buffer.from('more')])],
    ['another file', () => Buffer.from('not sealed at all, and longer than a head has to be, by far')],
  ])('%s', async (_, change) => {
    const path = join(dir, 'changed');
    writeFileSync(path, change());
    await expect(read(path)).rejects.toThrow(SealError);
  });

  test('another key, and another name', async () => {
    const path = join(dir, 'whole');
    await expect(read(path, 'one', randomBytes(32))).rejects.toThrow(SealError);
    await expect(read(path, 'two')).rejects.toThrow(SealError);
  });

  function flip(from: Buffer, at: number): Buffer {
    const changed = Buffer.from(from);
    changed[at] = (changed[at] ?? 0) ^ 1;
    return changed;
  }
});

test('an interrupted seal leaves no file', async () => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.alloc(10);
    throw new Error('the disk is gone');
  }
  await expect(sealTo(join(dir, 'broken'), broken(), { key, name: 'one' })).rejects.toThrow(
    'the disk is gone',
  );
  expect((await readdir(dir)).filter((name) => name.startsWith('broken'))).toEqual([]);
});

test('a key is 32 bytes, in either base64', () => {
  expect(parseBackupKey(key.toString('base64')).equals(key)).toBe(true);
  expect(parseBackupKey(`${key.toString('base64url')}\n`).equals(key)).toBe(true);
  for (const wrong of [undefined, '', 'short', key.toString('hex')])
    expect(() => parseBackupKey(wrong)).toThrow('32 bytes');
});
