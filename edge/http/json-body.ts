import { findDuplicateKey } from '../../shared/duplicate-key.ts';
import { AppError } from '../../shared/errors.ts';
import type { EdgeContext } from './edge-hono.ts';
import { readBody, readWhole } from './read-body.ts';

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

/** For a text in one go, which leaves nothing behind in it. */
const wholeDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

async function readText(c: EdgeContext): Promise<string> {
  const { maxBodyBytes } = c.get('services').config;
  let text = '';
  try {
    if (saysItIsSmall(c, maxBodyBytes)) return wholeDecoder.decode(await readWhole(c));
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
    await readBody(c, maxBodyBytes, (chunk) => {
      text += decoder.decode(chunk, { stream: true });
    });
    return text + decoder.decode();
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('invalid_json', { message: 'The request body is not valid UTF-8.', cause });
  }
}

/** The length that HTTP holds the sender to is within the limit. */
function saysItIsSmall(c: EdgeContext, maxBytes: number): boolean {
  const length = c.req.header('content-length');
  return length !== undefined && Number(length) <= maxBytes;
}
