import { runCommand, UsageError } from '../local/command.ts';
import { writeConfiguration } from '../operate/backup/configuration.ts';
import { openBackup } from '../operate/backup/restore-backup.ts';
import { backupVariables, readBackupSettings } from '../operate/backup/settings.ts';

await runCommand({
  name: 'npm run restore',
  summary:
    'Restores a backup: the database into an empty one (--to), the models file and the configuration ' +
    'into a folder (--files), or both. Reads and checks the whole backup first.',
  options: {
    to: { type: 'string', value: 'URL', help: 'postgres:// address of an empty database' },
    files: { type: 'string', value: 'FOLDER', help: 'Folder for the models file and the configuration' },
    from: { type: 'string', value: 'BACKUP', default: 'latest', help: 'Name of the backup' },
  },
  environment: backupVariables,
  example: 'npm run restore -- --to postgres://.../new --files restored',
  async run({ to, files, from }) {
    if (to === undefined && files === undefined) throw new UsageError('--to or --files is missing.');
    const { dir, key } = readBackupSettings(process.env);
    const backup = await openBackup({ dir, key, name: from });
    if (files !== undefined) {
      await writeConfiguration(files, backup.configuration);
      console.log(`${Object.keys(backup.configuration).length} files are in ${files}`);
    }
    if (to !== undefined) {
      await backup.restoreInto(to);
      console.log(
        `${backup.manifest.name} is restored. Every table has the rows and contents of the backup.`,
      );
    }
  },
});
