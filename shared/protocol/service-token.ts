/**
 * The edge's signature on a call to the core: a JWT (HS256) that lives one minute and is bound to one
 * request: its method, path and body hash, in the manner of DPoP (RFC 9449). It also carries the request
 * context, so the core trusts nothing else that a call says about its caller.
 */
import { errors, jwtVerify, SignJWT } from 'jose';
import * as v from 'valibot';
import { AppError } from '../errors.ts';
import { sha256 } from '../hash.ts';
import type { RequestContext } from './request-context.ts';

const ISSUER = 'edgewise-edge';
const AUDIENCE = 'edgewise-core';
const TYPE = 'edgewise-service+jwt';
export const SERVICE_TOKEN_LIFETIME_S = 60;
/** Clocks of two machines may differ by this much. */
const CLOCK_TOLERANCE_S = 5;

export interface ServiceCall {
  method: string;
  /** Path and query, as sent: `/v1/generations?after=3`. */
  path: string;
  /** The exact body, or its text; empty for none. */
  body: string | Uint8Array<ArrayBuffer>;
}

/** A call as it arrives: its body is read only when everything else of its token holds. */
export interface ReceivedCall extends Omit<ServiceCall, 'body'> {
  body: ServiceCall['body'] | (() => Promise<Uint8Array<ArrayBuffer>>);
}

const claimsSchema = v.object({
  htm: v.string(),
  htu: v.string(),
  bsh: v.string(),
  sub: v.string(),
  jti: v.string(),
  tenant: v.string(),
  plan: v.string(),
  scopes: v.array(v.string()),
  session: v.optional(v.string()),
  deadline: v.number(),
  iat: v.number(),
});

/** @param secret At least 32 bytes; the same on the edge and in the core. */
export function importServiceKey(secret: string): Uint8Array {
  const bytes = new TextEncoder().encode(secret);
  if (bytes.length < 32) throw new TypeError('the service secret must have at least 32 bytes');
  return bytes;
}

export async function signServiceToken(
  key: Uint8Array,
  context: RequestContext,
  call: ServiceCall,
  nowMs: number,
): Promise<string> {
  const iat = Math.floor(nowMs / 1000);
  return new SignJWT({
    htm: call.method,
    htu: call.path,
    bsh: await bodyHash(call.body),
    tenant: context.tenant,
    plan: context.plan,
    scopes: [...context.scopes],
    ...(context.session !== undefined && { session: context.session }),
    deadline: context.deadlineMs,
  })
    .setProtectedHeader({ alg: 'HS256', typ: TYPE })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(context.user)
    .setJti(context.requestId)
    .setIssuedAt(iat)
    .setExpirationTime(iat + SERVICE_TOKEN_LIFETIME_S)
    .sign(key);
}

/**
 * Checks signature, type, life time and binding, in this order.
 * @param keys The current key, and the previous one while the secret is being changed.
 * @throws AppError `missing_token`, `token_expired` or `invalid_token`
 */
export async function verifyServiceToken(
  keys: Uint8Array | readonly Uint8Array[],
  token: string | undefined,
  call: ReceivedCall,
  nowMs: number,
): Promise<RequestContext> {
  if (token === undefined || token === '') throw new AppError('missing_token');
  const payload = await verifyWithAny(Array.isArray(keys) ? keys : [keys as Uint8Array], token, nowMs);
  const parsed = v.safeParse(claimsSchema, payload);
  if (!parsed.success) throw new AppError('invalid_token');
  const claims = parsed.output;
  const isOfCall = claims.htm === call.method && claims.htu === call.path;
  if (!isOfCall || claims.bsh !== (await bodyHash(await readBody(call.body))))
    throw new AppError('invalid_token', { message: 'The service token belongs to another request.' });
  return {
    requestId: claims.jti,
    tenant: claims.tenant,
    user: claims.sub,
    plan: claims.plan,
    scopes: claims.scopes,
    ...(claims.session !== undefined && { session: claims.session }),
    deadlineMs: claims.deadline,
  };
}

/** What the last key says of the token is thrown. */
async function verifyWithAny(keys: readonly Uint8Array[], token: string, nowMs: number): Promise<unknown> {
  let refused: unknown = new AppError('invalid_token');
  for (const key of keys) {
    try {
      return await verifySignature(key, token, nowMs);
    } catch (error) {
      refused = error;
    }
  }
  throw refused;
}

async function readBody(body: ReceivedCall['body']): Promise<ServiceCall['body']> {
  return typeof body === 'function' ? body() : body;
}

async function verifySignature(key: Uint8Array, token: string, nowMs: number): Promise<unknown> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['HS256'],
      typ: TYPE,
      issuer: ISSUER,
      audience: AUDIENCE,
      maxTokenAge: SERVICE_TOKEN_LIFETIME_S,
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(nowMs),
    });
    return payload;
  } catch (error) {
    const code = error instanceof errors.JWTExpired ? 'token_expired' : 'invalid_token';
    throw new AppError(code, { cause: error });
  }
}

async function bodyHash(body: ServiceCall['body']): Promise<string> {
  return btoa(String.fromCharCode(...(await sha256(body))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
