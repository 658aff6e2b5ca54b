/** Finds the migrations that a database lacks, by the times that drizzle records for those that ran. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

interface Journal {
  entries: { when: number; tag: string }[];
}

export async function pendingMigrations(url: string, folder: string): Promise<string[]> {
  const journal = JSON.parse(await readFile(join(folder, 'meta/_journal.json'), 'utf8')) as Journal;
  const newest = await newestRun(url);
  return journal.entries.filter(({ when }) => when > newest).map(({ tag }) => tag);
}

async function newestRun(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    const { rows } = await client.query<{ newest: string | null }>(
      'SELECT max(created_at) AS newest FROM drizzle.__drizzle_migrations',
    );
    return Number(rows[0]?.newest ?? 0);
  } catch (error) {
    // The schema or the table does not exist: no migration ever ran.
    if (/^(?:3F000|42P01)$/.test(String((error as { code?: string }).code))) return 0;
    throw error;
  } finally {
    await client.end();
  }
}
