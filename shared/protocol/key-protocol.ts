/**
 * What the edge and the core say to each other about API keys; the core alone keeps them.
 *
 * - `POST /v1/keys`       {@link NewApiKey} -> {@link ApiKey} with the `key` itself, shown this once
 * - `GET  /v1/keys`       -> `{ data: ApiKey[] }`, newest first
 * - `DELETE /v1/keys/:id` -> {@link ApiKey}, revoked; 404 `key_not_found`
 * - `POST /v1/keys/use`   {@link KeyName} -> {@link ApiKey}; 404 `key_not_found` when it may not be used
 *
 * All but the last are about the tenant of the service token's context.
 */
import * as v from 'valibot';

export interface ApiKey {
  id: string;
  tenant: string;
  /** The first characters, by which its owner knows it. */
  prefix: string;
  name: string;
  plan: string;
  scopes: string[];
  /** Unix times in milliseconds. */
  createdAtMs: number;
  expiresAtMs: number | null;
  revokedAtMs: number | null;
  /** To the minute. */
  lastUsedAtMs: number | null;
}

const word = v.pipe(v.string(), v.regex(/^[\w:.-]{1,64}$/, 'must be a word of at most 64 characters'));

/**
 * With this scope a caller gives keys any plan and any scope. Without it, its own plan and scopes at most. `npm run key` has
 * it; a tenant's admin does not.
 */
export const GRANT_SCOPE = 'grant';

export const newApiKeySchema = v.looseObject({
  name: v.pipe(
    v.string(),
    v.trim(),
    v.minLength(1, 'must not be empty'),
    v.maxLength(100, 'must have at most 100 characters'),
  ),
  /** The creator's own by default. */
  plan: v.optional(word),
  scopes: v.optional(v.pipe(v.array(word), v.maxLength(20, 'must hold at most 20')), []),
  /** Unix time in seconds. */
  expires_at: v.optional(v.nullable(v.pipe(v.number(), v.integer('must be an integer')))),
});
export type NewApiKey = v.InferOutput<typeof newApiKeySchema>;

export const keyNameSchema = v.union([
  v.object({ hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) }),
  v.object({ id: v.string() }),
]);
/** By the SHA-256 of the key in hex, or by its id. */
export type KeyName = v.InferOutput<typeof keyNameSchema>;
