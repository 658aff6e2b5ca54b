/** Puts API keys into the core's own database, beneath a stopped core. */
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { bringUpToDate, connectEmbedded } from '../../../../core/db/database.ts';
import { apiKeys } from '../../../../core/db/schema.ts';

/** Keys of a tenant. */
const KEYS_OF_TENANT = 1000;

/** Makes those from number `from` to before number `to`. Nobody has the keys themselves: only their hashes are kept. */
export async function fillKeys(dataDir: string, from: number, to: number): Promise<void> {
  const connection = await connectEmbedded(join(dataDir, 'postgres'));
  try {
    await bringUpToDate(connection);
    await connection.tables.execute(sql`
      INSERT INTO ${apiKeys} (id, tenant, hash, prefix, name, plan, scopes, created_at_ms)
      SELECT 'key_' || substr(md5(n::text), 1, 24), 'tenant' || n / ${KEYS_OF_TENANT}::int,
        encode(sha256(n::text::bytea), 'hex'), 'ew_' || substr(md5(n::text), 1, 7), 'bench', 'bench', '{}',
        ${Date.now()}::bigint - n
      FROM generate_series(${from}::int, ${to - 1}::int) AS n`);
  } finally {
    await connection.close();
  }
}
