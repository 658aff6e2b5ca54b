/** Makes one backup, a folder that is renamed into place when it is complete, and deletes backups that are too old. */
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { encodeConfiguration, readConfiguration } from './configuration.ts';
import { backupName, listBackups, type Manifest, sealName, timeOfBackup, writeManifest } from './manifest.ts';
import { dump } from './postgres-programs.ts';
import { type Retention, toKeep } from './retention.ts';
import { sealTo } from './sealed-file.ts';
import { withSnapshot } from './table-sums.ts';

export interface BackupOptions {
  databaseUrl: string;
  /** Folder of all backups. */
  dir: string;
  key: Buffer;
  /** Root of the project, which holds the configuration. */
  root: string;
  env: Readonly<Record<string, string | undefined>>;
  now: () => number;
}

/** @throws Error when something cannot be read; no partial backup stays on disk */
export async function makeBackup(options: BackupOptions): Promise<Manifest> {
  const { databaseUrl, dir, key, root, env, now } = options;
  const startedAtMs = now();
  const name = backupName(startedAtMs);
  const folder = join(dir, name);
  const part = `${folder}.part`;
  await rm(part, { recursive: true, force: true });
  await mkdir(part, { recursive: true, mode: 0o700 });
  const seal = (file: string, source: AsyncIterable<Uint8Array>) =>
    sealTo(join(part, `${file}.sealed`), source, { key, name: sealName(name, file) });
  try {
    const { tables, database } = await withSnapshot(databaseUrl, async ({ id, sums }) => ({
      tables: sums,
      database: await seal('database.dump', dump(databaseUrl, id)),
    }));
    const configuration = encodeConfiguration(await readConfiguration(root, env));
    const manifest: Manifest = {
      version: 1,
      name,
      startedAtMs,
      endedAtMs: now(),
      serverVersion: await serverVersion(databaseUrl),
      tables,
      files: { 'database.dump': database, 'files.json': await seal('files.json', once(configuration)) },
    };
    await writeManifest(part, manifest, key);
    await rename(part, folder);
    return manifest;
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    throw error;
  }
}

/** @returns the names of the deleted backups */
export async function removeOldBackups(dir: string, retention: Retention): Promise<string[]> {
  const names = await listBackups(dir);
  const timeOf = (name: string) => timeOfBackup(name) ?? 0;
  const kept = toKeep(names.map(timeOf), retention);
  const old = names.filter((name) => !kept.has(timeOf(name)));
  for (const name of old) await rm(join(dir, name), { recursive: true });
  return old;
}

async function serverVersion(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    return rows[0]?.server_version ?? '';
  } finally {
    await client.end();
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
