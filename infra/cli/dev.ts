import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildEdge } from '../local/build.ts';
import { reportProgress, runCommand } from '../local/command.ts';
import { readEdgeVariables } from '../local/edge-variables.ts';
import { requireFreePort } from '../local/ports.ts';
import { startReaper, stopRequest } from '../local/process-lifetime.ts';
import { localSecrets } from '../local/secrets.ts';
import { edgeEnvironment, localVariables, projectRoot, readLocalSettings } from '../local/settings.ts';

await runCommand({
  name: 'npm run dev',
  summary:
    'Runs the edge in wrangler dev and the core in Node’s watch mode. Both reload when a file changes.',
  environment: localVariables,
  example: 'OPENAI_API_KEY=... npm run dev',
  run: dev,
});

async function dev(): Promise<void> {
  const settings = readLocalSettings(process.env);
  await requireFreePort(settings.edgePort, 'PORT', 'npm run dev');
  await requireFreePort(settings.corePort, 'CORE_PORT', 'npm run dev');
  const stopRequested = stopRequest();
  const secrets = await localSecrets(settings.dataDir);
  reportProgress('Building the edge ...');
  await buildEdge();

  const bindings = edgeEnvironment(process.env, settings, secrets, await readEdgeVariables());
  const variables = join(settings.dataDir, 'dev/.env');
  await mkdir(join(settings.dataDir, 'dev'), { recursive: true });
  const lines = Object.entries(bindings).map(([name, value]) => `${name}=${JSON.stringify(value)}\n`);
  await writeFile(variables, lines.join(''), { mode: 0o600 });

  const core = spawnNode(['--watch', join(projectRoot, 'core/server.ts')], {
    CORE_PORT: String(settings.corePort),
    EDGEWISE_SERVICE_SECRET: secrets.serviceSecret,
  });
  const edge = spawnNode(
    [
      join(projectRoot, 'node_modules/wrangler/bin/wrangler.js'),
      'dev',
      '--ip=127.0.0.1',
      `--port=${settings.edgePort}`,
      `--env-file=${variables}`,
      `--persist-to=${join(settings.dataDir, 'dev')}`,
      '--show-interactive-dev-session=false',
    ],
    { WRANGLER_SEND_METRICS: 'false' },
  );
  const reaper = startReaper();
  for (const { pid } of [edge, core]) reaper.watch(pid);
  await Promise.race([once(edge, 'exit'), once(core, 'exit'), stopRequested]);
  edge.kill('SIGTERM');
  core.kill('SIGTERM');
  reaper.release();
}

function spawnNode(args: string[], env: Record<string, string>): ChildProcess {
  return spawn(process.execPath, args, {
    cwd: projectRoot,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
}
