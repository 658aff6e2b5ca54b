import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runCommand } from '../local/command.ts';
import { projectRoot } from '../local/settings.ts';
import { budgetFile, monitoringFiles } from '../operate/monitoring/files.ts';

const folder = join(projectRoot, 'infra/operate/monitoring');

await runCommand({
  name: 'npm run monitoring',
  summary:
    'Writes the Prometheus rules and Grafana dashboards from the TypeScript files of ' +
    'infra/operate/monitoring. Keeps the rules/budget.yml that is there, since it holds your own number.',
  example: 'npm run monitoring',
  async run() {
    const files = monitoringFiles();
    const [budgetPath, budget] = budgetFile;
    if (!existsSync(join(folder, budgetPath))) files.set(budgetPath, budget);
    for (const [path, content] of files) {
      const target = join(folder, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content);
      console.log(`infra/operate/monitoring/${path}`);
    }
  },
});
