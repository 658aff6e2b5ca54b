import { AppError } from '../../shared/errors.ts';
import { sha256Hex } from '../../shared/hash.ts';
import type { EdgeContext } from './edge-hono.ts';

export interface IdempotencyKey {
  key: string;
  /** Hash of the address and the body, to detect the same key on another request. */
  bodyHash: string;
  /** A session id derived from the key, for a request that names no session. */
  sessionId: string;
}

/**
 * The `Idempotency-Key` of a request with costs (IETF draft "The Idempotency-Key HTTP Header Field").
 * @param content everything that the request asks for, except its address
 * @throws AppError `invalid_value` when it is not a printable text of 1 to 255 characters
 */
export function readIdempotencyKey(c: EdgeContext, content: unknown): Promise<IdempotencyKey> | undefined {
  const key = c.req.header('idempotency-key');
  return key === undefined ? undefined : toIdempotencyKey(key, c.req.path, content);
}

async function toIdempotencyKey(key: string, path: string, content: unknown): Promise<IdempotencyKey> {
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new AppError('invalid_value', {
      param: 'Idempotency-Key',
      message: "Invalid value for 'Idempotency-Key': expected 1 to 255 printable characters.",
    });
  }
  const [bodyHash, name] = await Promise.all([
    sha256Hex(`${path}\n${JSON.stringify(content)}`),
    sha256Hex(key),
  ]);
  return { key, bodyHash, sessionId: `conv_${name.slice(0, 32)}` };
}
