import { runCommand } from '../local/command.ts';
import { restoreDrill } from '../operate/backup/drill.ts';
import { backupVariables, readBackupSettings, requireDatabaseUrl } from '../operate/backup/settings.ts';

await runCommand({
  name: 'npm run restore:drill',
  summary:
    'Proves that a backup can be restored: restores it into a temporary database, compares every table, ' +
    'and deletes the database.',
  options: {
    from: { type: 'string', value: 'BACKUP', default: 'latest', help: 'Name of the backup' },
  },
  environment: {
    EDGEWISE_DRILL_URL: 'postgres:// address of the server to use; DATABASE_URL without it',
    ...backupVariables,
  },
  example: 'EDGEWISE_DRILL_URL=postgres://... EDGEWISE_BACKUP_KEY=... npm run restore:drill',
  async run({ from }) {
    const { dir, key } = readBackupSettings(process.env);
    const serverUrl = process.env.EDGEWISE_DRILL_URL || requireDatabaseUrl(process.env);
    const report = await restoreDrill({ dir, key, name: from }, { serverUrl, now: () => Date.now() });
    const { backup, tables, rows, files } = report;
    const seconds = (report.tookMs / 1000).toFixed(1);
    const hours = (report.ageMs / 3_600_000).toFixed(1);
    console.log(
      `${backup} can be restored: ${tables} tables, ${rows} rows and ${files} files, each as it was, in ${seconds} s.`,
    );
    console.log(`It is ${hours} hours old: a restore would lose what was written since then.`);
  },
});
