import { AppError } from '../../shared/errors.ts';
import type { EdgeContext } from './edge-hono.ts';

/**
 * Most bytes of a too large body that are read and discarded: a client that is still sending would see a broken
 * connection instead of the response.
 */
const MAX_DISCARDED_BYTES = 16 * 1024 * 1024;

/**
 * Reads the request's body up to its limit.
 * @param onChunk receives no byte beyond the limit
 * @throws AppError `request_too_large`, `request_timeout`; what `onChunk` throws
 */
export async function readBody(
  c: EdgeContext,
  maxBytes: number,
  onChunk: (chunk: Uint8Array) => void,
): Promise<void> {
  const { bodyTimeoutMs } = c.get('bodyLimits');
  const { body } = c.req.raw;
  if (!body) return;
  const declared = Number(c.req.header('content-length') ?? 0);
  let bytes = 0;
  const reader = body.getReader();
  const tooLate = AbortSignal.timeout(bodyTimeoutMs);
  tooLate.addEventListener('abort', () => void reader.cancel(), { once: true });
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const chunk: Uint8Array = next.value;
      bytes += chunk.byteLength;
      if (bytes > maxBytes + MAX_DISCARDED_BYTES) break;
      if (declared <= maxBytes && bytes <= maxBytes) onChunk(chunk);
    }
  } catch (error) {
    if (!tooLate.aborted) throw error;
  }
  if (tooLate.aborted) throw new AppError('request_timeout');
  if (bytes <= maxBytes) return;
  throw new AppError('request_too_large', { message: `The request body is larger than ${maxBytes} bytes.` });
}

/**
 * Reads a body whose known length is within the limit, in one step, as text.
 * @throws AppError `request_timeout`
 */
export function readWholeText(c: EdgeContext): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const late = () => reject(new AppError('request_timeout'));
  const timer = setTimeout(late, c.get('bodyLimits').bodyTimeoutMs);
  const settle = (how: () => void) => {
    clearTimeout(timer);
    how();
  };
  c.req.raw.text().then(
    (text) => settle(() => resolve(text)),
    (error: unknown) => settle(() => reject(error)),
  );
  return promise;
}

/** @throws AppError `request_too_large`, `request_timeout` */
export async function readBytes(c: EdgeContext, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  await readBody(c, maxBytes, (chunk) => void chunks.push(chunk));
  const bytes = new Uint8Array(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
