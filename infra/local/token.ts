/** Tokens for local use, signed with the secret that the local edge verifies with. */
import { SignJWT } from 'jose';

export interface TokenClaims {
  sub: string;
  tenant: string;
  plan: string;
  /** Space-separated; empty for none. */
  scope: string;
  /** A time span such as `1h`, `30m`, `7d`. */
  expires: string;
  issuer: string;
  audience: string;
}

export function signLocalToken(secret: string, claims: TokenClaims): Promise<string> {
  const { sub, tenant, plan, scope, expires, issuer, audience } = claims;
  return new SignJWT({ tenant, plan, ...(scope ? { scope } : {}) })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(sub)
    .setIssuer(issuer)
    .setAudience(audience)
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime(expires)
    .sign(new TextEncoder().encode(secret));
}

export const defaultClaims: TokenClaims = {
  sub: 'me',
  tenant: 'default',
  plan: 'free',
  scope: '',
  expires: '24h',
  issuer: process.env.EDGEWISE_JWT_ISSUER || 'edgewise',
  audience: process.env.EDGEWISE_JWT_AUDIENCE || 'edgewise',
};
