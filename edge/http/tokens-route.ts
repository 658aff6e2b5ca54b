/**
 * Tokens for callers without a key: an app's back end exchanges its key for a short-lived token of one end user, the
 * user's app renews it, and guests get their own tokens when they are allowed.
 */
import * as v from 'valibot';
import { AppError } from '../../shared/errors.ts';
import { sha256Hex } from '../../shared/hash.ts';
import { parseSessionId } from '../../shared/wire/chat-schema.ts';
import { parseInput } from '../../shared/wire/parse-input.ts';
import type { KeyDirectory } from '../auth/key-directory.ts';
import type { IssuedTokens, OwnTokens } from '../auth/own-tokens.ts';
import type { Limiter } from '../limits/create-limiter.ts';
import { GUEST_PLAN } from '../limits/plans.ts';
import type { EdgeContext } from './edge-hono.ts';
import { readJson } from './json-body.ts';

const TTL_S = 900;
const MAX_TTL_S = 3600;
const REFRESH_MS = 30 * 86_400_000;
const GUEST_TTL_S = 3600;
const GUEST_TENANT = 'default';

export const exchangeSchema = v.looseObject({
  user: v.pipe(
    v.string(),
    v.minLength(1, 'must not be empty'),
    v.maxLength(256, 'must have at most 256 characters'),
  ),
  scopes: v.optional(v.array(v.pipe(v.string(), v.regex(/^[\w:.-]{1,64}$/, 'must be a word'))), []),
  session_id: v.optional(v.string()),
  ttl_seconds: v.optional(
    v.pipe(
      v.number(),
      v.integer('must be an integer'),
      v.minValue(60, 'must be at least 60'),
      v.maxValue(MAX_TTL_S, `must be at most ${MAX_TTL_S}`),
    ),
    TTL_S,
  ),
  refresh: v.optional(v.boolean(), true),
});
export const refreshSchema = v.looseObject({ refresh_token: v.string() });

export interface TokensRouteOptions {
  /** `undefined` without a secret for signatures. */
  ownTokens: OwnTokens | undefined;
  keys: Pick<KeyDirectory, 'findById'>;
  limiter: Pick<Limiter, 'admitGuest'>;
  /** Whether people can get a token without an account. */
  guests: boolean;
  /** Unix time in milliseconds. */
  now: () => number;
  newId: () => string;
}

export function tokensRoute({ ownTokens, keys, limiter, guests, now, newId }: TokensRouteOptions) {
  return {
    /** `POST /v1/tokens`, with an API key: a short-lived token for one end user. */
    async exchange(c: EdgeContext): Promise<Response> {
      const tokens = required(ownTokens);
      const { tenant, plan, scopes, keyId } = c.get('request');
      if (keyId === undefined || c.get('isKey') !== true) {
        throw new AppError('insufficient_scope', { message: 'Tokens are exchanged for an API key.' });
      }
      const input = parseInput(exchangeSchema, await readJson(c));
      const beyond = input.scopes.find((scope) => !scopes.includes(scope));
      if (beyond !== undefined) {
        const message = `The key does not have the scope '${beyond}'.`;
        throw new AppError('insufficient_scope', { param: 'scopes', message });
      }
      const session =
        input.session_id === undefined ? undefined : parseSessionId(input.session_id, 'session_id');
      const grant = { tenant, plan, user: input.user, scopes: input.scopes, session, keyId };
      const refreshUntilMs = input.refresh ? now() + REFRESH_MS : undefined;
      return c.json(toBody(await tokens.issue(grant, input.ttl_seconds, refreshUntilMs)));
    },

    /** `POST /v1/tokens/refresh`: a new short-lived token, as long as its key is valid. Needs no other token. */
    async refresh(c: EdgeContext): Promise<Response> {
      const tokens = required(ownTokens);
      const { refresh_token: token } = parseInput(refreshSchema, await readJson(c));
      const { grant, untilMs } = await tokens.readRefresh(token);
      if (grant.plan === GUEST_PLAN && grant.keyId === undefined && guests) {
        return c.json(toBody(await tokens.issue(grant, GUEST_TTL_S, untilMs)));
      }
      const key =
        grant.keyId === undefined ? undefined : await keys.findById(c.get('requestId'), grant.keyId);
      if (!key) throw new AppError('invalid_token', { message: 'The key behind the refresh token is gone.' });
      const { plan } = key;
      return c.json(toBody(await tokens.issue({ ...grant, plan }, TTL_S, untilMs)));
    },

    /** `POST /v1/tokens/guest`: a token for a new user, when guests are allowed. Needs no token. */
    async guest(c: EdgeContext): Promise<Response> {
      if (!guests) {
        throw new AppError('insufficient_scope', { message: 'Guests are not allowed here.' });
      }
      await limiter.admitGuest(GUEST_TENANT, await addressOf(c));
      const grant = { tenant: GUEST_TENANT, user: `guest-${newId()}`, plan: GUEST_PLAN, scopes: [] };
      const refreshUntilMs = now() + REFRESH_MS;
      return c.json(toBody(await required(ownTokens).issue(grant, GUEST_TTL_S, refreshUntilMs)));
    },
  };
}

/** Cloudflare's header, or what the proxy right before the edge reports. Only its hash is kept. */
async function addressOf(c: EdgeContext): Promise<string | undefined> {
  const forwarded = c.req.header('x-forwarded-for')?.split(',').at(-1)?.trim();
  const address = c.req.header('cf-connecting-ip') ?? forwarded;
  return address ? (await sha256Hex(address)).slice(0, 32) : undefined;
}

function required(ownTokens: OwnTokens | undefined): OwnTokens {
  if (ownTokens) return ownTokens;
  const message = 'This server issues no tokens: EDGEWISE_TOKEN_SECRET is not set.';
  throw new AppError('unsupported_value', { message });
}

/** OAuth 2's token response (RFC 6749, section 5.1). */
function toBody({ accessToken, expiresIn, refreshToken }: IssuedTokens): object {
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: expiresIn,
    ...(refreshToken !== undefined && { refresh_token: refreshToken }),
  };
}
