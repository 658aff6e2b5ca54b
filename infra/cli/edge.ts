/**
 * The edge on a node of one's own: `node infra/cli/edge.ts` runs the built Worker in workerd, and ends with it. The
 * environment is the Worker's (see README.md), with EDGE_HOST (127.0.0.1), PORT (8787) and EDGEWISE_DATA for the Durable
 * Objects. What many nodes share must be in Upstash Redis or behind a balancer that keeps a session on its node.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { runMain } from '../local/run-main.ts';
import { edgeVariables, readLocalSettings } from '../local/settings.ts';
import { writeWorkerdConfig } from '../local/workerd-config.ts';

const required = ['EDGEWISE_CORE_URL', 'EDGEWISE_SERVICE_SECRET'];

await runMain(async () => {
  const missing = required.filter((name) => !process.env[name]);
  if (missing.length > 0) throw new Error(`${missing.join(' and ')} must be set for the edge.`);
  const { edgePort, dataDir } = readLocalSettings(process.env);
  const bindings = [...required, ...edgeVariables].filter((name) => process.env[name]);
  const config = await writeWorkerdConfig({
    dir: join(dataDir, 'edge'),
    host: process.env.EDGE_HOST || '127.0.0.1',
    port: edgePort,
    bindings,
  });
  const program = process.env.WORKERD_PATH || (createRequire(import.meta.url)('workerd').default as string);
  const values = Object.fromEntries(bindings.map((name) => [name, process.env[name]]));
  const edge = spawn(program, ['serve', config], {
    stdio: 'inherit',
    env: { PATH: process.env.PATH, ...values },
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => edge.kill(signal));
  await new Promise<void>((resolve, reject) => {
    edge.on('error', reject);
    edge.on('exit', (code, signal) => {
      process.exitCode = code ?? (signal === 'SIGTERM' || signal === 'SIGINT' ? 0 : 1);
      resolve();
    });
  });
});
