/**
 * Checks a user's bearer token. The algorithm and the key are pinned to the issuer by configuration and never read
 * from the token (RFC 8725): our own issuer's tokens against our secret, all others against the provider's keys.
 */
import { decodeJwt, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import * as v from 'valibot';
import { AppError } from '../../shared/errors.ts';
import type { FindKey } from './key-set.ts';
import { OWN_ISSUER } from './own-tokens.ts';

export const signatureAlgorithms = ['HS256', 'RS256', 'ES256', 'EdDSA'] as const;
export type SignatureAlgorithm = (typeof signatureAlgorithms)[number];

export type JwtConfig = {
  algorithm: SignatureAlgorithm;
  issuer: string;
  audience: string;
} & ({ secret: Uint8Array; jwksUrl?: never } | { jwksUrl: URL; secret?: never });

export interface Caller {
  tenant: string;
  user: string;
  plan: string;
  scopes: readonly string[];
  /** The only session that the caller may reach. */
  session?: string;
  /** The API key that the caller holds, or that the token was exchanged for. */
  keyId?: string;
  /** When the token expires, Unix time in milliseconds. */
  expiresAtMs: number;
}

/** @throws AppError `missing_token`, `token_expired`, `invalid_token`; `keys_unavailable` when the key set cannot be had */
export type TokenVerifier = (token: string | undefined) => Promise<Caller>;

export interface TokenVerifierOptions {
  jwt: JwtConfig;
  /** The provider's keys, where its algorithm is not HS256. */
  findKey: FindKey | undefined;
  /** Signs the tokens that we issue ourselves. */
  ownSecret: Uint8Array | undefined;
}

const CLOCK_TOLERANCE_S = 30;
/** What a token that lets in may call itself (RFC 9068, RFC 7519); it may also say nothing. */
const accessTypes: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/at+jwt']);

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(256));
const claimsSchema = v.object({
  sub: name,
  tenant: v.optional(name, 'default'),
  plan: v.optional(name, 'free'),
  /** Space-separated, as OAuth 2 has it (RFC 8693, section 4.2). */
  scope: v.optional(v.string(), ''),
  session: v.optional(name),
  key: v.optional(name),
  exp: v.number(),
});

export function createTokenVerifier({ jwt, findKey, ownSecret }: TokenVerifierOptions): TokenVerifier {
  const common: JWTVerifyOptions = {
    audience: jwt.audience,
    requiredClaims: ['sub', 'exp'],
    clockTolerance: CLOCK_TOLERANCE_S,
  };
  const provided: JWTVerifyOptions = { ...common, algorithms: [jwt.algorithm], issuer: jwt.issuer };
  const own: JWTVerifyOptions = { ...common, algorithms: ['HS256'], issuer: OWN_ISSUER };

  function verify(token: string) {
    if (ownSecret && decodeJwt(token).iss === OWN_ISSUER) return jwtVerify(token, ownSecret, own);
    if (jwt.secret) return jwtVerify(token, jwt.secret, provided);
    if (!findKey) throw new AppError('keys_unavailable');
    return jwtVerify(token, findKey, provided);
  }

  return async function verifyToken(token) {
    if (!token) throw new AppError('missing_token');
    let payload: JWTPayload;
    try {
      const { payload: verified, protectedHeader } = await verify(token);
      if (!accessTypes.has((protectedHeader.typ ?? 'JWT').toLowerCase())) throw new AppError('invalid_token');
      payload = verified;
    } catch (error) {
      throw toTokenError(error);
    }
    const claims = v.safeParse(claimsSchema, payload);
    if (!claims.success)
      throw new AppError('invalid_token', { message: 'A claim of the token is not valid.' });
    const { sub, tenant, plan, scope, session, key, exp } = claims.output;
    return {
      tenant,
      user: sub,
      plan,
      scopes: scope.split(' ').filter((word) => word !== ''),
      ...(session !== undefined && { session }),
      ...(key !== undefined && { keyId: key }),
      expiresAtMs: exp * 1000,
    };
  };
}

function toTokenError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof errors.JWTExpired) return new AppError('token_expired', { cause: error });
  return new AppError('invalid_token', { cause: error });
}
