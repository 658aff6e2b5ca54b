import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { reportProgress, runCommand } from '../local/command.ts';
import { projectRoot } from '../local/settings.ts';

/** In the order of `npm run types`. */
const projects = ['shared', 'edge', 'edge/web', 'core', 'infra'];
const figures = ['Check time', 'Total time', 'Memory used', 'Instantiations'];

await runCommand({
  name: 'npm run types:cost',
  summary: 'Checks the types of every project and prints what each check costs. Fails like npm run types.',
  example: 'npm run types:cost',
  async run() {
    let failed = 0;
    for (const project of projects) {
      const { output, isValid } = await check(project);
      if (!isValid) {
        failed++;
        reportProgress(output);
      }
      const costs = figures.map((figure) => `${figure.toLowerCase()} ${figureOf(output, figure)}`);
      console.log(`${project.padEnd(8)}  ${costs.join('  ')}`);
    }
    if (failed > 0) throw new Error(`${failed} of ${projects.length} projects have type errors.`);
  },
});

function check(project: string): Promise<{ output: string; isValid: boolean }> {
  const program = join(projectRoot, 'node_modules/typescript/bin/tsc');
  const args = [program, '-p', project, '--extendedDiagnostics'];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: projectRoot }, (error, stdout, stderr) =>
      resolve({ output: stdout + stderr, isValid: error === null }),
    );
  });
}

function figureOf(output: string, name: string): string {
  return new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(output)?.[1] ?? '-';
}
