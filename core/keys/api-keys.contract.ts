/** What the keys must do on every database; run over each of them. */
import { createHash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../db/database.ts';
import { apiKeys } from '../db/schema.ts';
import { type ApiKeys, createApiKeys } from './api-keys.ts';

/** @param open A database with its migrations run. */
export function describeApiKeys(name: string, open: () => Promise<Database>): void {
  describe(name, () => {
    let database: Database;
    let keys: ApiKeys;
    let nowMs: number;
    let tenant: string;
    beforeAll(async () => {
      database = await open();
      // The first use makes the tables, which takes its time on a busy machine.
      await database.acrossTenants(async () => undefined);
    }, 60_000);
    beforeEach(() => {
      nowMs = 1_800_000_000_000;
      tenant = `tenant-${crypto.randomUUID()}`;
      keys = createApiKeys(database, () => nowMs);
    });
    const wanted = (more: object = {}) => ({
      tenant,
      name: 'back end',
      plan: 'pro',
      scopes: ['chat', 'admin'],
      expiresAtMs: undefined,
      ...more,
    });
    const hashOf = (key: string) => createHash('sha256').update(key).digest('hex');

    test('a key is shown once, and found by its hash and its id', async () => {
      const { key, record } = await keys.create(wanted());
      expect(key).toMatch(/^ew_[\w-]{43}$/);
      expect(record).toMatchObject({ tenant, name: 'back end', plan: 'pro', scopes: ['chat', 'admin'] });
      expect(await keys.use({ hash: hashOf(key) })).toMatchObject({ id: record.id, tenant });
      expect(await keys.use({ id: record.id })).toMatchObject({ tenant });
      expect(await keys.use({ hash: hashOf(`${key}x`) })).toBeUndefined();
      expect(JSON.stringify(await keys.list(tenant))).not.toContain(key.slice(12));
    });

    test('a revoked key and an expired one are of no use', async () => {
      const { key, record } = await keys.create(wanted());
      await keys.revoke(tenant, record.id);
      expect((await keys.revoke(tenant, record.id)).revokedAtMs).toBe(nowMs);
      expect(await keys.use({ hash: hashOf(key) })).toBeUndefined();
      const short = await keys.create(wanted({ expiresAtMs: nowMs + 1000 }));
      expect(await keys.use({ id: short.record.id })).toBeDefined();
      nowMs += 1000;
      expect(await keys.use({ id: short.record.id })).toBeUndefined();
    });

    test('the last use is taken down, to the minute', async () => {
      const { record } = await keys.create(wanted());
      await keys.use({ id: record.id });
      nowMs += 30_000;
      await keys.use({ id: record.id });
      expect((await keys.list(tenant))[0]?.lastUsedAtMs).toBe(nowMs - 30_000);
      nowMs += 60_000;
      await keys.use({ id: record.id });
      expect((await keys.list(tenant))[0]?.lastUsedAtMs).toBe(nowMs);
    });

    test('another tenant sees and revokes nothing, even where a query forgets to say whose', async () => {
      const { record } = await keys.create(wanted());
      const other = `other-${crypto.randomUUID()}`;
      expect(await keys.list(other)).toEqual([]);
      await expect(keys.revoke(other, record.id)).rejects.toMatchObject({ code: 'key_not_found' });
      await database.withTenant(other, async (tables) => {
        expect(await tables.select().from(apiKeys)).toEqual([]);
        expect(await tables.delete(apiKeys).returning()).toEqual([]);
      });
      expect(await keys.list(tenant)).toHaveLength(1);
    });

    test('a row for another tenant is refused by the database itself', async () => {
      const { record } = await keys.create(wanted());
      const values = { ...record, id: 'stolen', hash: 'x', tenant };
      await expect(
        database.withTenant('other', (tables) => tables.insert(apiKeys).values(values)),
      ).rejects.toThrow();
      await expect(
        database.acrossTenants((tables) => tables.insert(apiKeys).values(values)),
      ).rejects.toThrow();
    });

    test('a transaction is no owner, and leaves nothing of itself behind', async () => {
      const role = await database.withTenant(tenant, (tables) =>
        tables.execute(sql`SELECT current_user AS name`),
      );
      expect(JSON.stringify(role)).toContain('edgewise_app');
      await expect(
        database.withTenant(tenant, async (tables) => {
          await tables.execute(sql`ALTER TABLE api_key DISABLE ROW LEVEL SECURITY`);
        }),
      ).rejects.toThrow();
      const { record } = await keys.create(wanted());
      await expect(
        database.withTenant(tenant, async (tables) => {
          await tables.delete(apiKeys);
          throw new Error('changed our mind');
        }),
      ).rejects.toThrow('changed our mind');
      expect((await keys.list(tenant)).map(({ id }) => id)).toEqual([record.id]);
    });
  });
}
