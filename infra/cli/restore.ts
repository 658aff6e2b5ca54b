/**
 * `npm run restore -- --to postgres://... [--from latest] [--files FOLDER]`: a backup into an empty database, its
 * models file and configuration into a folder.
 */
import { parseArgs } from 'node:util';
import { runMain } from '../local/run-main.ts';
import { writeConfiguration } from '../operate/backup/configuration.ts';
import { openBackup } from '../operate/backup/restore-backup.ts';
import { readBackupSettings } from '../operate/backup/settings.ts';

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      to: { type: 'string' },
      from: { type: 'string', default: 'latest' },
      files: { type: 'string' },
    },
  });
  if (values.to === undefined && values.files === undefined)
    throw new Error('npm run restore -- --to postgres://... [--from latest] [--files FOLDER]');
  const { dir, key } = readBackupSettings(process.env);
  const backup = await openBackup({ dir, key, name: values.from });
  if (values.files !== undefined) {
    await writeConfiguration(values.files, backup.configuration);
    console.log(`${Object.keys(backup.configuration).length} files are in ${values.files}`);
  }
  if (values.to !== undefined) {
    await backup.restoreInto(values.to);
    console.log(
      `${backup.manifest.name} is restored; every table has the rows and contents that it had then.`,
    );
  }
});
