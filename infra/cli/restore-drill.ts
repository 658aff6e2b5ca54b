/**
 * `npm run restore:drill [-- --from latest]`: proves that a backup can be restored, on the server of
 * `EDGEWISE_DRILL_URL` or of `DATABASE_URL`, in a database that is made for it and removed again.
 */
import { parseArgs } from 'node:util';
import { runMain } from '../local/run-main.ts';
import { restoreDrill } from '../operate/backup/drill.ts';
import { readBackupSettings, requireDatabaseUrl } from '../operate/backup/settings.ts';

await runMain(async () => {
  const { values } = parseArgs({ options: { from: { type: 'string', default: 'latest' } } });
  const { dir, key } = readBackupSettings(process.env);
  const serverUrl = process.env.EDGEWISE_DRILL_URL || requireDatabaseUrl(process.env);
  const report = await restoreDrill({ dir, key, name: values.from }, { serverUrl, now: () => Date.now() });
  const hours = (report.ageMs / 3_600_000).toFixed(1);
  console.log(
    `${report.backup} can be restored: ${report.tables} tables, ${report.rows} rows and ${report.files} files, each as it was, in ${(report.tookMs / 1000).toFixed(1)} s. It is ${hours} hours old: what came after would be lost.`,
  );
});
