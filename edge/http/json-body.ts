import { AppError } from '../../shared/errors.ts';
import { findDuplicateKey } from './duplicate-key.ts';
import type { EdgeContext } from './edge-hono.ts';
import { readBody, readWholeText } from './read-body.ts';

/**
 * The request's body as JSON; reads at most the configured number of bytes.
 * @param fallback the value of an empty body; without it an empty body is invalid
 * @throws AppError `unsupported_media_type`, `request_too_large`, `request_timeout`, `invalid_json`
 */
export async function readJson(c: EdgeContext, fallback?: unknown): Promise<unknown> {
  const text = await readJsonText(c);
  return text === '' && fallback !== undefined ? fallback : parseJson(text);
}

/** @throws AppError `invalid_json` */
export function parseJson(text: string): unknown {
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
    message: `The name '${twice}' occurs twice in one object.`,
  });
}

/**
 * The text of a body whose content type is JSON.
 * @throws AppError `unsupported_media_type`, `request_too_large`, `request_timeout`, `invalid_json`
 */
export async function readJsonText(c: EdgeContext): Promise<string> {
  const contentType = c.req.header('content-type') ?? 'application/json';
  if (contentType !== 'application/json' && !jsonType.test(contentType))
    throw new AppError('unsupported_media_type');
  const { maxBodyBytes } = c.get('bodyLimits');
  const length = c.req.header('content-length');
  // HTTP does not deliver more bytes than the declared length.
  if (length !== undefined && Number(length) <= maxBodyBytes)
    return checkUtf8(await readWholeText(c), Number(length));
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  let text = '';
  try {
    await readBody(c, maxBodyBytes, (chunk) => {
      text += decoder.decode(chunk, { stream: true });
    });
    return text + decoder.decode();
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw notUtf8(cause);
  }
}

const jsonType = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

const REPLACEMENT = '\ufffd';

/**
 * Whether the bytes may have been invalid UTF-8. The platform's decoder replaces invalid bytes by U+FFFD, so only a text
 * with that character is suspect. Its length then shows a replacement, except for a four-byte character that is cut after
 * its third byte.
 */
function checkUtf8(text: string, bytes: number): string {
  if (text.includes(REPLACEMENT) && ![bytes, bytes - BOM_BYTES].includes(utf8Length(text))) throw notUtf8();
  return text;
}

/** A byte order mark at the beginning, which the decoder removes. */
const BOM_BYTES = 3;

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

function notUtf8(cause?: unknown): AppError {
  return new AppError('invalid_json', { message: 'The request body is not valid UTF-8.', cause });
}
