/** `npm run backup`: PostgreSQL, the models file and the configuration, sealed, into `EDGEWISE_BACKUP_DIR`. */
import { runMain } from '../local/run-main.ts';
import { projectRoot } from '../local/settings.ts';
import { makeBackup, removeOldBackups } from '../operate/backup/make-backup.ts';
import { readBackupSettings, requireDatabaseUrl } from '../operate/backup/settings.ts';

await runMain(async () => {
  const { dir, key, retention } = readBackupSettings(process.env);
  const databaseUrl = requireDatabaseUrl(process.env);
  const now = () => Date.now();
  const manifest = await makeBackup({ databaseUrl, dir, key, root: projectRoot, env: process.env, now });
  const rows = Object.values(manifest.tables).reduce((sum, table) => sum + table.rows, 0);
  const bytes = Object.values(manifest.files).reduce((sum, file) => sum + file.bytes, 0);
  console.log(
    `${manifest.name}: ${Object.keys(manifest.tables).length} tables, ${rows} rows, ${bytes} bytes, in ${manifest.endedAtMs - manifest.startedAtMs} ms`,
  );
  for (const name of await removeOldBackups(dir, retention)) console.log(`removed ${name}`);
});
