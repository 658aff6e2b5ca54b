/** Who a bearer token belongs to: an API key's holder, or whoever a JWT names. The order of the checks is here. */
import { AppError } from '../../shared/errors.ts';
import type { KeyDirectory } from './key-directory.ts';
import type { Caller, TokenVerifier } from './token-verifier.ts';

export interface AuthenticateOptions {
  verifyToken: TokenVerifier;
  keys: KeyDirectory;
  /** Unix time in milliseconds. */
  now: () => number;
}

export type Authenticate = (
  token: string | undefined,
  requestId: string,
) => Promise<Caller & { isKey: boolean }>;

const KEY_PREFIX = 'ew_';
/** How long what was opened with a key, such as a socket, may stay open before it must be opened again. */
const KEY_SESSION_MS = 3_600_000;

/** @throws AppError `missing_token`, `invalid_token`, `token_expired`, `keys_unavailable`, `core_unavailable` */
export function createAuthenticate({ verifyToken, keys, now }: AuthenticateOptions): Authenticate {
  return async function authenticate(token, requestId) {
    if (token?.startsWith(KEY_PREFIX)) {
      const key = await keys.find(requestId, token);
      if (!key) throw new AppError('invalid_token', { message: 'The API key is not valid.' });
      const { id, tenant, plan, scopes, expiresAtMs } = key;
      const untilMs = Math.min(expiresAtMs ?? Number.POSITIVE_INFINITY, now() + KEY_SESSION_MS);
      return { tenant, user: id, plan, scopes, keyId: id, expiresAtMs: untilMs, isKey: true };
    }
    const caller = await verifyToken(token);
    if (caller.keyId !== undefined && !(await keys.findById(requestId, caller.keyId))) {
      throw new AppError('invalid_token', { message: 'The key behind the token is gone.' });
    }
    return { ...caller, isKey: false };
  };
}
