/**
 * Tokens that Edgewise issues itself: for an app's end user in exchange for the app's key, and for guests. Short
 * ones let in (`at+jwt`, RFC 9068); longer ones only fetch the next short one (`refresh+jwt`).
 */
import { jwtVerify, SignJWT } from 'jose';
import * as v from 'valibot';
import { AppError } from '../../shared/errors.ts';

/** Whom a token is for. */
export interface TokenGrant {
  tenant: string;
  user: string;
  plan: string;
  scopes: readonly string[];
  /** The only session that the token reaches. */
  session?: string | undefined;
  /** The API key that it was exchanged for. */
  keyId?: string | undefined;
}

export interface IssuedTokens {
  accessToken: string;
  /** Seconds. */
  expiresIn: number;
  refreshToken: string | undefined;
}

export interface OwnTokens {
  /** @param ttlSeconds Of the short token. `refreshUntilMs`: until when it can be renewed, Unix milliseconds; never without it. */
  issue(grant: TokenGrant, ttlSeconds: number, refreshUntilMs?: number): Promise<IssuedTokens>;
  /** @throws AppError `invalid_token` */
  readRefresh(token: string): Promise<{ grant: TokenGrant; untilMs: number }>;
}

/** The issuer of our own tokens; the provider that is configured has another name. */
export const OWN_ISSUER = 'https://edgewise.invalid/tokens';

const grantSchema = v.object({
  sub: v.string(),
  tenant: v.string(),
  plan: v.string(),
  scope: v.optional(v.string(), ''),
  session: v.optional(v.string()),
  key: v.optional(v.string()),
  exp: v.number(),
});

/** @param now Unix time in milliseconds */
export function createOwnTokens(secret: Uint8Array, audience: string, now: () => number): OwnTokens {
  function sign(grant: TokenGrant, typ: 'at+jwt' | 'refresh+jwt', expiresAtS: number): Promise<string> {
    const { tenant, user, plan, scopes, session, keyId } = grant;
    return new SignJWT({
      tenant,
      plan,
      scope: scopes.join(' '),
      ...(session !== undefined && { session }),
      ...(keyId !== undefined && { key: keyId }),
    })
      .setProtectedHeader({ alg: 'HS256', typ })
      .setIssuer(OWN_ISSUER)
      .setAudience(audience)
      .setSubject(user)
      .setJti(crypto.randomUUID())
      .setIssuedAt(Math.floor(now() / 1000))
      .setExpirationTime(expiresAtS)
      .sign(secret);
  }

  return {
    async issue(grant, ttlSeconds, refreshUntilMs) {
      const nowS = Math.floor(now() / 1000);
      const accessToken = await sign(grant, 'at+jwt', nowS + ttlSeconds);
      const refreshToken =
        refreshUntilMs === undefined
          ? undefined
          : await sign(grant, 'refresh+jwt', Math.floor(refreshUntilMs / 1000));
      return { accessToken, expiresIn: ttlSeconds, refreshToken };
    },

    async readRefresh(token) {
      try {
        const { payload } = await jwtVerify(token, secret, {
          algorithms: ['HS256'],
          issuer: OWN_ISSUER,
          audience,
          typ: 'refresh+jwt',
          requiredClaims: ['sub', 'exp'],
          currentDate: new Date(now()),
        });
        const { sub, tenant, plan, scope, session, key, exp } = v.parse(grantSchema, payload);
        const scopes = scope.split(' ').filter((word) => word !== '');
        return { grant: { tenant, user: sub, plan, scopes, session, keyId: key }, untilMs: exp * 1000 };
      } catch (cause) {
        throw new AppError('invalid_token', { message: 'The refresh token is not valid.', cause });
      }
    },
  };
}
