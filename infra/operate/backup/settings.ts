/** Settings of the backup commands, from the environment. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { projectRoot } from '../../local/settings.ts';
import { parseRetention, type Retention } from './retention.ts';
import { parseBackupKey } from './sealed-file.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface BackupSettings {
  dir: string;
  key: Buffer;
  retention: Retention;
}

/** What `--help` of the backup commands says about these settings. */
export const backupVariables: Readonly<Record<string, string>> = {
  EDGEWISE_BACKUP_KEY:
    'Key of 32 bytes in base64 (required); or EDGEWISE_BACKUP_KEY_FILE, a file that holds it',
  EDGEWISE_BACKUP_DIR: 'Folder of the backups (.data/backups)',
};

/** @throws Error that says what is missing or wrong */
export function readBackupSettings(env: Environment): BackupSettings {
  const keyFile = env.EDGEWISE_BACKUP_KEY_FILE;
  return {
    dir: resolve(projectRoot, env.EDGEWISE_BACKUP_DIR || '.data/backups'),
    key: parseBackupKey(keyFile ? readFileSync(keyFile, 'utf8') : env.EDGEWISE_BACKUP_KEY),
    retention: parseRetention(env.EDGEWISE_BACKUP_KEEP || '7d,4w,12m'),
  };
}

export function requireDatabaseUrl(env: Environment, name = 'DATABASE_URL'): string {
  const url = env[name];
  if (!url) throw new Error(`${name} is missing: the postgres:// address of the database.`);
  return url;
}
