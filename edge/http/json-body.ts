import { findDuplicateKey } from '../../shared/duplicate-key.ts';
import { AppError } from '../../shared/errors.ts';
import type { EdgeContext } from './edge-hono.ts';

/**
 * The request's body as JSON, at most the configured number of bytes, read no further than that.
 * @param fallback What an empty body stands for; without it an empty body is no JSON.
 * @throws AppError `unsupported_media_type`, `request_too_large`, `request_timeout`, `invalid_json`
 */
export async function readJson(c: EdgeContext, fallback?: unknown): Promise<unknown> {
  const contentType = c.req.header('content-type') ?? 'application/json';
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(contentType))
    throw new AppError('unsupported_media_type');
  const text = await readText(c);
  if (text === '' && fallback !== undefined) return fallback;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new AppError('invalid_json', { cause });
  }
  const twice = findDuplicateKey(text);
  if (twice === undefined) return json;
  throw new AppError('invalid_json', {
    param: twice,
    message: `The name '${twice}' stands twice in one object.`,
  });
}

/**
 * What is read of a body that is too large, and thrown away: a client that is still sending would see a
 * broken connection instead of the answer.
 */
const MAX_DISCARDED_BYTES = 16 * 1024 * 1024;

async function readText(c: EdgeContext): Promise<string> {
  const { maxBodyBytes: maxBytes, bodyTimeoutMs } = c.get('services').config;
  const { body } = c.req.raw;
  if (!body) return '';
  const declared = Number(c.req.header('content-length') ?? 0);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  let text = '';
  let bytes = 0;
  const reader = body.getReader();
  const tooLate = AbortSignal.timeout(bodyTimeoutMs);
  tooLate.addEventListener('abort', () => void reader.cancel(), { once: true });
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const chunk: Uint8Array = next.value;
      bytes += chunk.byteLength;
      if (bytes > MAX_DISCARDED_BYTES) break;
      if (declared <= maxBytes && bytes <= maxBytes) text += decoder.decode(chunk, { stream: true });
    }
    if (bytes <= maxBytes && !tooLate.aborted) return text + decoder.decode();
  } catch (cause) {
    if (tooLate.aborted) throw new AppError('request_timeout');
    throw new AppError('invalid_json', { message: 'The request body is not valid UTF-8.', cause });
  }
  if (tooLate.aborted) throw new AppError('request_timeout');
  throw new AppError('request_too_large', { message: `The request body is larger than ${maxBytes} bytes.` });
}
