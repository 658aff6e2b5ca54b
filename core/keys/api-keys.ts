/**
 * API keys: made, listed, revoked, found. A key is `ew_` and 32 random bytes, shown once; what is kept is its
 * SHA-256, which is enough for a secret of 256 random bits. Owns the table `api_key`.
 */
import { randomBytes } from 'node:crypto';
import { and, desc, eq, isNull } from 'drizzle-orm';
import { AppError } from '../../shared/errors.ts';
import { sha256Hex } from '../../shared/hash.ts';
import type { ApiKey, KeyName } from '../../shared/protocol/key-protocol.ts';
import type { Database } from '../db/database.ts';
import { apiKeys } from '../db/schema.ts';

export interface WantedApiKey {
  tenant: string;
  name: string;
  plan: string;
  scopes: string[];
  expiresAtMs: number | undefined;
}

export interface ApiKeys {
  /** @returns the key itself, which cannot be shown again */
  create(wanted: WantedApiKey): Promise<{ key: string; record: ApiKey }>;
  /** Newest first, revoked ones too. */
  list(tenant: string): Promise<ApiKey[]>;
  /** Idempotent. @throws AppError `key_not_found` */
  revoke(tenant: string, id: string): Promise<ApiKey>;
  /** The key with that hash or id, if it may be used now. Takes its use down. */
  use(which: KeyName): Promise<ApiKey | undefined>;
}

const KEY_BYTES = 32;
const PREFIX_CHARS = 10;
/** The time of the last use is as exact as this. */
const USE_GRAIN_MS = 60_000;

/** @param now Unix time in milliseconds */
export function createApiKeys(database: Database, now: () => number): ApiKeys {
  const record = {
    id: apiKeys.id,
    tenant: apiKeys.tenant,
    prefix: apiKeys.prefix,
    name: apiKeys.name,
    plan: apiKeys.plan,
    scopes: apiKeys.scopes,
    createdAtMs: apiKeys.createdAtMs,
    expiresAtMs: apiKeys.expiresAtMs,
    revokedAtMs: apiKeys.revokedAtMs,
    lastUsedAtMs: apiKeys.lastUsedAtMs,
  };

  return {
    async create({ tenant, name, plan, scopes, expiresAtMs }) {
      const key = `ew_${randomBytes(KEY_BYTES).toString('base64url')}`;
      const values = {
        id: `key_${randomBytes(12).toString('hex')}`,
        tenant,
        hash: await sha256Hex(key),
        prefix: key.slice(0, PREFIX_CHARS),
        name,
        plan,
        scopes,
        createdAtMs: now(),
        expiresAtMs: expiresAtMs ?? null,
      };
      const [made] = await database.withTenant(tenant, (tables) =>
        tables.insert(apiKeys).values(values).returning(record),
      );
      return { key, record: made as ApiKey };
    },

    list: (tenant) =>
      database.withTenant(tenant, (tables) =>
        tables.select(record).from(apiKeys).orderBy(desc(apiKeys.createdAtMs)),
      ),

    revoke: (tenant, id) =>
      database.withTenant(tenant, async (tables) => {
        await tables
          .update(apiKeys)
          .set({ revokedAtMs: now() })
          .where(and(eq(apiKeys.id, id), isNull(apiKeys.revokedAtMs)));
        const [revoked] = await tables.select(record).from(apiKeys).where(eq(apiKeys.id, id));
        if (!revoked) throw new AppError('key_not_found', { param: 'id' });
        return revoked;
      }),

    async use(which) {
      const isIt = 'hash' in which ? eq(apiKeys.hash, which.hash) : eq(apiKeys.id, which.id);
      const [key] = await database.acrossTenants((tables) => tables.select(record).from(apiKeys).where(isIt));
      if (!key || key.revokedAtMs !== null) return undefined;
      if (key.expiresAtMs !== null && key.expiresAtMs <= now()) return undefined;
      if (now() - (key.lastUsedAtMs ?? 0) > USE_GRAIN_MS) {
        await database.withTenant(key.tenant, (tables) =>
          tables.update(apiKeys).set({ lastUsedAtMs: now() }).where(eq(apiKeys.id, key.id)),
        );
      }
      return key;
    },
  };
}
