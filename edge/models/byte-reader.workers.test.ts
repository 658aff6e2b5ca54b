import { expect, test } from 'vitest';
import { readBytes } from './byte-reader.ts';

/** A body that comes in small chunks, as an upstream's does. */
function bodyOf(chunks: number, chunkBytes: number): ReadableStream<Uint8Array> {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const write = async () => {
    for (let at = 0; at < chunks; at++) await writer.write(new Uint8Array(chunkBytes).fill(at % 256));
    await writer.close();
  };
  void write().catch(() => undefined);
  return readable;
}

async function readAll(bytes: ReadableStream<Uint8Array>, isWhole: boolean): Promise<Uint8Array[]> {
  const reader = readBytes(bytes, isWhole);
  const pieces: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return pieces;
    if (value) pieces.push(value.slice());
  }
}

const join = (pieces: Uint8Array[]) => pieces.flatMap((piece) => [...piece]);

test('a whole answer comes in fewer pieces, and with the same bytes', async () => {
  const one = await readAll(bodyOf(100, 201), false);
  const whole = await readAll(bodyOf(100, 201), true);
  expect(join(whole)).toEqual(join(one));
  expect(join(whole)).toHaveLength(100 * 201);
  expect(one.length).toBeGreaterThanOrEqual(100);
  expect(whole.length).toBeLessThanOrEqual(12);
});

test('what is shorter than a piece comes, too', async () => {
  expect(join(await readAll(bodyOf(3, 5), true))).toHaveLength(15);
  expect(join(await readAll(bodyOf(0, 0), true))).toHaveLength(0);
});

test('can be left', async () => {
  const reader = readBytes(bodyOf(1000, 201), true);
  await reader.read();
  await reader.cancel();
});
