/** The contents of a database, per table, as a row count and an order-independent sum of row hashes. */
import pg from 'pg';

/** By `schema.table`. */
export type TableSums = Record<string, { rows: number; sum: string }>;

export interface Snapshot {
  /** For `pg_dump --snapshot`. */
  id: string;
  sums: TableSums;
}

/** Runs `work` while a snapshot of the database is held, so that the dump and the sums see the same rows. */
export async function withSnapshot<T>(url: string, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows } = await client.query<{ id: string }>('SELECT pg_export_snapshot() AS id');
    const snapshot = { id: rows[0]?.id ?? '', sums: await sumTables(client) };
    const result = await work(snapshot);
    await client.query('COMMIT');
    return result;
  } finally {
    await client.end();
  }
}

export async function readTableSums(url: string): Promise<TableSums> {
  return withSnapshot(url, async ({ sums }) => sums);
}

async function sumTables(client: pg.Client): Promise<TableSums> {
  // Rows as text must be the same on every server. Rows that row-level security hides must be an error, not missing.
  for (const setting of [
    "TimeZone = 'UTC'",
    "DateStyle = 'ISO'",
    'extra_float_digits = 1',
    'row_security = off',
  ])
    await client.query(`SET LOCAL ${setting}`);
  const { rows: tables } = await client.query<{ schema: string; name: string }>(
    `SELECT schemaname AS schema, tablename AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2`,
  );
  const sums: TableSums = {};
  for (const { schema, name } of tables) {
    const table = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(name)}`;
    const { rows } = await client.query<{ rows: string; sum: string }>(
      `SELECT count(*) AS rows,
              coalesce(sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint), 0) || '-' ||
              coalesce(sum(('x' || substr(md5(t::text), 16, 15))::bit(60)::bigint), 0) AS sum
       FROM ${table} t`,
    );
    sums[`${schema}.${name}`] = { rows: Number(rows[0]?.rows), sum: rows[0]?.sum ?? '' };
  }
  return sums;
}

/** @returns one sentence per table that differs */
export function differences(expected: TableSums, found: TableSums): string[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])].sort();
  return names.flatMap((name) => {
    const [one, other] = [expected[name], found[name]];
    if (!one) return [`${name} should not be there`];
    if (!other) return [`${name} is missing`];
    if (one.rows !== other.rows) return [`${name} has ${other.rows} rows in the place of ${one.rows}`];
    return one.sum === other.sum ? [] : [`${name} has other contents`];
  });
}
