import { AppError } from '../../shared/errors.ts';
import type { EdgeContext } from './edge-hono.ts';

export interface IdempotencyKey {
  key: string;
  /** Of the address and the body: the same key with another request is a mistake worth telling. */
  bodyHash: string;
  /** A session id of the key's own, for a request that names no session. */
  sessionId: string;
}

/**
 * The `Idempotency-Key` of a request that spends (IETF draft "The Idempotency-Key HTTP Header Field").
 * @param asked All that the request asks, besides its address.
 * @throws AppError `invalid_value` when it is no printable text of 1 to 255 characters
 */
export function readIdempotencyKey(c: EdgeContext, asked: unknown): Promise<IdempotencyKey> | undefined {
  const key = c.req.header('idempotency-key');
  return key === undefined ? undefined : toIdempotencyKey(key, c.req.path, asked);
}

async function toIdempotencyKey(key: string, path: string, asked: unknown): Promise<IdempotencyKey> {
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new AppError('invalid_value', {
      param: 'Idempotency-Key',
      message: "Invalid value for 'Idempotency-Key': expected 1 to 255 printable characters.",
    });
  }
  const [bodyHash, name] = await Promise.all([sha256(`${path}\n${JSON.stringify(asked)}`), sha256(key)]);
  return { key, bodyHash, sessionId: `conv_${name.slice(0, 32)}` };
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
