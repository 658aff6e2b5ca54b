/** Checks a user's bearer token. The algorithm is pinned by configuration and never read from the token (RFC 8725). */
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import * as v from 'valibot';
import { AppError } from '../../shared/errors.ts';
import type { JwtConfig } from '../env.ts';

export interface Caller {
  tenant: string;
  user: string;
  plan: string;
  scopes: readonly string[];
  /** When the token expires, Unix time in milliseconds. */
  expiresAtMs: number;
}

/** @throws AppError `missing_token`, `token_expired`, `invalid_token`; `keys_unavailable` when the key set cannot be had */
export type TokenVerifier = (token: string | undefined) => Promise<Caller>;

const CLOCK_TOLERANCE_S = 30;

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(256));
const claimsSchema = v.object({
  sub: name,
  tenant: v.optional(name, 'default'),
  plan: v.optional(name, 'free'),
  /** Space-separated, as OAuth 2 has it (RFC 8693, section 4.2). */
  scope: v.optional(v.string(), ''),
  exp: v.number(),
});

export function createTokenVerifier(config: JwtConfig): TokenVerifier {
  const options: JWTVerifyOptions = {
    algorithms: [config.algorithm],
    issuer: config.issuer,
    audience: config.audience,
    requiredClaims: ['sub', 'exp'],
    clockTolerance: CLOCK_TOLERANCE_S,
  };
  const verify = config.secret
    ? (token: string) => jwtVerify(token, config.secret, options)
    : verifyWithKeySet(config.jwksUrl, options);

  return async function verifyToken(token) {
    if (!token) throw new AppError('missing_token');
    let payload: JWTPayload;
    try {
      ({ payload } = await verify(token));
    } catch (error) {
      throw toTokenError(error);
    }
    const claims = v.safeParse(claimsSchema, payload);
    if (!claims.success)
      throw new AppError('invalid_token', { message: 'A claim of the token is not valid.' });
    const { sub, tenant, plan, scope, exp } = claims.output;
    const scopes = scope.split(' ').filter((word) => word !== '');
    return { tenant, user: sub, plan, scopes, expiresAtMs: exp * 1000 };
  };
}

function verifyWithKeySet(url: URL, options: JWTVerifyOptions) {
  const keys = createRemoteJWKSet(url);
  return (token: string) => jwtVerify(token, keys, options);
}

function toTokenError(error: unknown): AppError {
  if (error instanceof errors.JWTExpired) return new AppError('token_expired', { cause: error });
  const unreachable =
    !(error instanceof errors.JOSEError) ||
    error instanceof errors.JWKSTimeout ||
    error.code === 'ERR_JOSE_GENERIC';
  if (unreachable) {
    return new AppError('keys_unavailable', { cause: error });
  }
  return new AppError('invalid_token', { cause: error });
}
