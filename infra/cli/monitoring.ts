/** `npm run monitoring`: writes Prometheus's rules and Grafana's dashboards from the lists beside this file. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runMain } from '../local/run-main.ts';
import { projectRoot } from '../local/settings.ts';
import { budgetFile, monitoringFiles } from '../operate/monitoring/files.ts';

const folder = join(projectRoot, 'infra/operate/monitoring');

await runMain(async () => {
  const files = monitoringFiles();
  const [path, content] = budgetFile;
  if (!existsSync(join(folder, path))) files.set(path, content);
  for (const [path, content] of files) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
    console.log(`wrote infra/operate/monitoring/${path}`);
  }
});
