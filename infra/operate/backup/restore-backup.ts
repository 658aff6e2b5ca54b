/** Restores a backup into an empty database and compares the result with the manifest. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { type ConfigurationFiles, decodeConfiguration } from './configuration.ts';
import { type BackupFile, listBackups, type Manifest, readManifest, sealName } from './manifest.ts';
import { restore } from './postgres-programs.ts';
import { SealError, unseal } from './sealed-file.ts';
import { differences, readTableSums } from './table-sums.ts';

export interface BackupPlace {
  dir: string;
  /** A backup's name, or `latest`. */
  name: string;
  key: Buffer;
}

export interface OpenBackup {
  manifest: Manifest;
  configuration: ConfigurationFiles;
  /** @throws Error when the database is not empty, or differs from the manifest afterwards */
  restoreInto(databaseUrl: string): Promise<void>;
}

/** Reads and checks the whole backup, so that a broken one fails before anything changes. @throws SealError */
export async function openBackup({ dir, name: asked, key }: BackupPlace): Promise<OpenBackup> {
  const name = asked === 'latest' ? (await listBackups(dir))[0] : asked;
  if (name === undefined) throw new SealError(`There is no backup in ${dir}.`);
  const folder = join(dir, name);
  const manifest = await readManifest(folder, name, key);
  const open = (file: BackupFile) =>
    unseal(join(folder, `${file}.sealed`), { key, name: sealName(name, file) });

  async function check(file: BackupFile, keep: boolean): Promise<Buffer> {
    const hash = createHash('sha256');
    const pieces: Buffer[] = [];
    for await (const piece of open(file)) {
      hash.update(piece);
      if (keep) pieces.push(piece);
    }
    if (hash.digest('hex') !== manifest.files[file].sha256)
      throw new SealError(`${file} of ${name} differs from its manifest.`);
    return Buffer.concat(pieces);
  }

  await check('database.dump', false);
  return {
    manifest,
    configuration: decodeConfiguration(await check('files.json', true)),
    async restoreInto(databaseUrl) {
      await prepare(databaseUrl);
      await restore(databaseUrl, open('database.dump'));
      const faults = differences(manifest.tables, await readTableSums(databaseUrl));
      if (faults.length > 0)
        throw new Error(`The restored database differs from the backup:\n${faults.join('\n')}`);
    },
  };
}

/** Roles belong to the server, so a dump holds none: creates the role that row-level security applies to. */
async function prepare(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query(
      `SELECT 1 FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') LIMIT 1`,
    );
    if (rows.length > 0) throw new Error('The database to restore into is not empty. Create a new one.');
    await client.query(`DO $$ BEGIN
      CREATE ROLE edgewise_app NOLOGIN;
    EXCEPTION WHEN duplicate_object THEN NULL;
    END $$`);
    await client.query(`DO $$ BEGIN EXECUTE format('GRANT edgewise_app TO %I', current_user); END $$`);
  } finally {
    await client.end();
  }
}
