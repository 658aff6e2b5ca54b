import type { ByteReader } from '../../shared/stream/sse.ts';

/** How long the end of a stream that has said all is waited for, and how much of it is read. */
const END_MS = 1000;
const MAX_BYTES = 64 * 1024;

/**
 * Reads what is left of an answer that has said all: only a connection whose answer was read to its end can serve another
 * call. One that does not end is closed. Never rejects.
 */
export async function readToEnd(reader: ByteReader): Promise<void> {
  const giveUp = () => void reader.cancel().catch(() => undefined);
  const timer = setTimeout(giveUp, END_MS);
  try {
    for (let bytes = 0; bytes <= MAX_BYTES; ) {
      const { done, value } = await reader.read();
      if (done) return;
      bytes += value?.byteLength ?? 0;
    }
    giveUp();
  } catch {
    // It broke off, or was given up.
  } finally {
    clearTimeout(timer);
  }
}
