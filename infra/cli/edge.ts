import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { openDataFolder } from '../../core/db/data-folder.ts';
import { workerBundle } from '../local/bundle-paths.ts';
import { runCommand } from '../local/command.ts';
import { readEdgeVariables } from '../local/edge-variables.ts';
import { startReaper, stopRequest } from '../local/process-lifetime.ts';
import { readLocalSettings } from '../local/settings.ts';
import { writeWorkerdConfig } from '../local/workerd-config.ts';

const required = ['EDGEWISE_CORE_URL', 'EDGEWISE_SERVICE_SECRET'];

await runCommand({
  name: 'npm run edge',
  summary:
    'Runs the built Worker in workerd, as an edge node of your own (run npm run build first). The ' +
    'configuration reference lists all variables of the edge. Several nodes must share Upstash Redis, or ' +
    'a load balancer must keep each session on its node.',
  environment: {
    EDGEWISE_CORE_URL: 'Address of the core; several regions with commas (required)',
    EDGEWISE_SERVICE_SECRET: 'Secret that edge and core share (required)',
    EDGE_HOST: 'Address to listen on (127.0.0.1)',
    PORT: 'Port to listen on (8787)',
    EDGEWISE_DATA: 'Folder of the Durable Objects (.data)',
    EDGEWISE_GRACE_MS: 'How long open requests may take after SIGTERM (5000)',
    WORKERD_PATH: 'Another workerd than the installed one',
  },
  example: 'EDGEWISE_CORE_URL=http://127.0.0.1:8788 EDGEWISE_SERVICE_SECRET=... npm run edge',
  run: runEdge,
});

async function runEdge(): Promise<void> {
  const missing = required.filter((name) => !process.env[name]);
  if (missing.length > 0) throw new Error(`${missing.join(' and ')} must be set for the edge.`);
  if (!existsSync(workerBundle)) throw new Error('The Worker is not built. Run: npm run build');
  const { edgePort, dataDir } = readLocalSettings(process.env);
  const graceMs = Number(process.env.EDGEWISE_GRACE_MS || 5000);
  if (!(graceMs >= 0)) throw new Error('EDGEWISE_GRACE_MS must be a number of milliseconds.');
  process.umask(0o077);
  const folder = await openDataFolder(join(dataDir, 'edge'));
  const bindings = (await readEdgeVariables()).filter((name) => process.env[name]);
  const config = await writeWorkerdConfig({
    dir: join(dataDir, 'edge'),
    host: process.env.EDGE_HOST || '127.0.0.1',
    port: edgePort,
    bindings,
  });
  const program = process.env.WORKERD_PATH || (createRequire(import.meta.url)('workerd').default as string);
  const values = Object.fromEntries(bindings.map((name) => [name, process.env[name]]));
  const stop = stopRequest();
  const reaper = startReaper();
  // A process group of its own: a Ctrl-C in the terminal reaches this process alone, which stops workerd in order.
  const edge = spawn(program, ['serve', config], {
    stdio: 'inherit',
    env: { PATH: process.env.PATH, ...values },
    detached: true,
  });
  reaper.watch(edge.pid);
  let isStopping = false;
  void stop.then(() => {
    isStopping = true;
    edge.kill('SIGTERM');
    // workerd waits for open requests, however long they take.
    setTimeout(() => edge.kill('SIGKILL'), graceMs).unref();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    edge.on('error', reject);
    edge.on('exit', resolve);
  });
  reaper.release();
  await folder.close();
  if (!isStopping) process.exitCode = code || 1;
}
