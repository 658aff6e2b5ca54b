/** `npm run dev`: the edge in `wrangler dev` and the core in Node's watch mode, both reloaded on change. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildEdge } from '../local/build.ts';
import { requireFreePort } from '../local/ports.ts';
import { runMain } from '../local/run-main.ts';
import { localSecrets } from '../local/secrets.ts';
import { edgeEnvironment, projectRoot, readLocalSettings } from '../local/settings.ts';

await runMain(main);

async function main(): Promise<void> {
  const settings = readLocalSettings(process.env);
  await requireFreePort(settings.edgePort, 'PORT');
  await requireFreePort(settings.corePort, 'CORE_PORT');
  const secrets = await localSecrets(settings.dataDir);
  await buildEdge();

  const bindings = edgeEnvironment(process.env, settings, secrets);
  const variables = join(settings.dataDir, 'dev/.env');
  await mkdir(join(settings.dataDir, 'dev'), { recursive: true });
  const lines = Object.entries(bindings).map(([name, value]) => `${name}=${JSON.stringify(value)}\n`);
  await writeFile(variables, lines.join(''), { mode: 0o600 });

  const core = run(['--watch', join(projectRoot, 'core/server.ts')], {
    CORE_PORT: String(settings.corePort),
    EDGEWISE_SERVICE_SECRET: secrets.serviceSecret,
  });
  const edge = run(
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
  const stop = () => {
    edge.kill('SIGTERM');
    core.kill('SIGTERM');
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  await Promise.race([once(edge, 'exit'), once(core, 'exit')]);
  stop();
}

function run(args: string[], env: Record<string, string>): ChildProcess {
  return spawn(process.execPath, args, {
    cwd: projectRoot,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
}
