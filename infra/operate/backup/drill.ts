/** The restore drill: restores a backup into a temporary database, compares it, and drops the database. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { parseModelsFile } from '../../../core/models/models-file.ts';
import { type BackupPlace, openBackup } from './restore-backup.ts';

export interface DrillReport {
  backup: string;
  /** Age of the backup: what was written since then would be lost. */
  ageMs: number;
  /** Duration of the restore. */
  tookMs: number;
  tables: number;
  rows: number;
  files: number;
}

/** @param serverUrl Any database on the server to use; its role must be allowed to create databases */
export async function restoreDrill(
  place: BackupPlace,
  { serverUrl, now }: { serverUrl: string; now: () => number },
): Promise<DrillReport> {
  const startMs = now();
  const backup = await openBackup(place);
  const { manifest, configuration } = backup;
  const models = configuration['models.toml'];
  if (!models) throw new Error('The backup holds no models file.');
  parseModelsFile(models.toString('utf8'), 'models.toml');

  const database = `edgewise_drill_${randomBytes(6).toString('hex')}`;
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  await onServer(serverUrl, `CREATE DATABASE ${database}`);
  try {
    await backup.restoreInto(url.href);
  } finally {
    await onServer(serverUrl, `DROP DATABASE ${database}`);
  }
  const tables = Object.values(manifest.tables);
  return {
    backup: manifest.name,
    ageMs: startMs - manifest.startedAtMs,
    tookMs: now() - startMs,
    tables: tables.length,
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    files: Object.keys(configuration).length,
  };
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
