import { runCommand } from '../local/command.ts';
import { projectRoot } from '../local/settings.ts';
import { makeBackup, removeOldBackups } from '../operate/backup/make-backup.ts';
import { backupVariables, readBackupSettings, requireDatabaseUrl } from '../operate/backup/settings.ts';

await runCommand({
  name: 'npm run backup',
  summary:
    'Writes an encrypted backup of PostgreSQL, the models file and the configuration. Deletes backups ' +
    'beyond the retention.',
  environment: {
    DATABASE_URL: 'postgres:// address; its role must see all tenants',
    ...backupVariables,
    EDGEWISE_BACKUP_KEEP: 'Retention in days, weeks and months (7d,4w,12m)',
  },
  example: 'DATABASE_URL=postgres://... EDGEWISE_BACKUP_KEY=... npm run backup',
  async run() {
    const { dir, key, retention } = readBackupSettings(process.env);
    const databaseUrl = requireDatabaseUrl(process.env);
    const now = () => Date.now();
    const manifest = await makeBackup({ databaseUrl, dir, key, root: projectRoot, env: process.env, now });
    const rows = Object.values(manifest.tables).reduce((sum, table) => sum + table.rows, 0);
    const bytes = Object.values(manifest.files).reduce((sum, file) => sum + file.bytes, 0);
    const tookMs = manifest.endedAtMs - manifest.startedAtMs;
    console.log(
      `${manifest.name}: ${Object.keys(manifest.tables).length} tables, ${rows} rows, ${bytes} bytes, in ${tookMs} ms`,
    );
    for (const name of await removeOldBackups(dir, retention)) console.log(`deleted ${name}`);
  },
});
