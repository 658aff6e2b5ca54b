/** Reading an upstream's bytes: as they come, or in larger pieces where nobody waits for each word. */
import type { ByteReader } from '../../shared/stream/sse.ts';

/** About ten events. One that waits for the next of a slow model's may wait for so many of them. */
const PIECE_BYTES = 2048;
const BUFFER_BYTES = 16 * 1024;

/** What workerd's byte streams can do besides: each read crosses from native code once, however many chunks it takes. */
interface AtLeastReader {
  readAtLeast(
    minBytes: number,
    buffer: Uint8Array,
  ): Promise<{ done: boolean; value?: Uint8Array<ArrayBuffer> | undefined }>;
  cancel(): Promise<void>;
}

/** @param isWhole Whether the answer is taken as a whole, so that its pieces need not come one by one */
export function readBytes(bytes: ReadableStream<Uint8Array>, isWhole: boolean): ByteReader {
  if (!isWhole) return bytes.getReader();
  const reader = openAtLeast(bytes);
  if (!reader) return bytes.getReader();
  let buffer = new Uint8Array(BUFFER_BYTES);
  return {
    async read() {
      const { done, value } = await reader.readAtLeast(PIECE_BYTES, buffer);
      // The last piece may be shorter; it is marked as the last.
      if (value && value.byteLength > 0) {
        const piece = value.slice();
        buffer = new Uint8Array(value.buffer);
        return { done: false, value: piece };
      }
      return done ? { done: true } : { done: false, value: new Uint8Array(0) };
    },
    cancel: () => reader.cancel(),
  };
}

/** @returns nothing where the platform or the stream cannot do it */
function openAtLeast(bytes: ReadableStream<Uint8Array>): AtLeastReader | undefined {
  try {
    const reader = bytes.getReader({ mode: 'byob' });
    const larger = reader as unknown as AtLeastReader;
    if (typeof larger.readAtLeast === 'function') return larger;
    reader.releaseLock();
  } catch {
    // A stream of another type has no such reader.
  }
  return undefined;
}
