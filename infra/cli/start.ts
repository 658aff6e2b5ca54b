import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { openDataFolder } from '../../core/db/data-folder.ts';
import { buildEdge } from '../local/build.ts';
import type { Child } from '../local/child.ts';
import { reportProgress, runCommand } from '../local/command.ts';
import { requireFreePort } from '../local/ports.ts';
import { startReaper, stopRequest } from '../local/process-lifetime.ts';
import { exitError, type Health, startCore, startEdge, untilHealthy } from '../local/processes.ts';
import { localSecrets } from '../local/secrets.ts';
import { type LocalSettings, localVariables, projectRoot, readLocalSettings } from '../local/settings.ts';
import { defaultClaims, signLocalToken } from '../local/token.ts';

/** A core that stops lets running answers finish; after Ctrl-C a user waits at most this long for it. */
const STOP_MS = 5000;

await runCommand({
  name: 'npm start',
  summary:
    'Builds the edge, then runs core and edge on this machine until Ctrl-C. Everything is kept in the ' +
    'data folder. The configuration reference lists the variables of edge and core; all of them work ' +
    'here.',
  environment: localVariables,
  example: 'OPENAI_API_KEY=... npm start',
  run: start,
});

async function start(): Promise<void> {
  const settings = readLocalSettings(process.env);
  await requireFreePort(settings.edgePort, 'PORT', 'npm start');
  await requireFreePort(settings.corePort, 'CORE_PORT', 'npm start');
  process.umask(0o077);
  const dataFolder = await openDataFolder(settings.dataDir);
  const edgeFolder = await openDataFolder(join(settings.dataDir, 'edge'));
  const stopRequested = stopRequest();
  const children: Child[] = [];
  const reaper = startReaper();
  try {
    const secrets = await localSecrets(settings.dataDir);
    await mkdir(join(settings.dataDir, 'logs'), { recursive: true });
    reportProgress('Building the edge ...');
    await buildEdge();
    const metricsToken = process.env.EDGEWISE_METRICS_TOKEN || randomBytes(18).toString('base64url');
    const env = {
      EDGEWISE_GRACE_MS: '3000',
      // Opening takes about a second, which the first request need not wait for.
      EDGEWISE_OPEN_DATABASE: 'on',
      ...process.env,
      EDGEWISE_METRICS_TOKEN: metricsToken,
    };
    children.push(startCore(env, settings, secrets), await startEdge(env, settings, secrets));
    for (const { pid } of children) reaper.watch(pid);
    const health = await Promise.race([untilHealthy(settings.edgePort, children), stopRequested]);
    if (!health) return;
    // With a key set (JWKS) only the issuer can sign tokens.
    const token = /^(?:HS256)?$/.test(process.env.EDGEWISE_JWT_ALGORITHM ?? '')
      ? await signLocalToken(process.env.EDGEWISE_JWT_SECRET || secrets.jwtSecret, defaultClaims)
      : 'A_TOKEN_OF_YOUR_ISSUER';
    console.log(welcome(settings, health, { token, metricsToken }));
    const exited = await Promise.race([
      stopRequested,
      ...children.map(async (child) => child.ended.then(() => child)),
    ]);
    if (exited) throw await exitError(exited);
    reportProgress('\nStopping ...');
  } finally {
    // The edge first, so that it does not log errors about a missing core.
    for (const child of children.reverse()) await child.stop(STOP_MS);
    reaper.release();
    await edgeFolder.close();
    await dataFolder.close();
  }
}

function welcome(
  { edgePort, dataDir }: LocalSettings,
  health: Health,
  { token, metricsToken }: { token: string; metricsToken: string },
): string {
  const address = `http://127.0.0.1:${edgePort}`;
  const models = (health.core.models ?? []).map(({ id, reason }) => `  ${id}: ${reason ?? ''}`);
  const light = process.env.EDGEWISE_LIGHT_MODEL;
  if (light) models.unshift(`  ${light}: the light model of the edge`);
  return `
Edgewise answers at ${address}

Open ${address} in a browser to chat.

Try it:

curl -N ${address}/v1/chat/completions \\
  -H 'Authorization: Bearer ${token}' \\
  -H 'Content-Type: application/json' \\
  -H 'x-session-id: first' \\
  -d '{"stream": true, "messages": [{"role": "user", "content": "What is Edgewise?"}]}'

Models:
${models.join('\n')}

Another token: npm run --silent token -- --sub alice
An operator's, for ${address}/admin: npm run --silent token -- --sub operator --scope 'admin grant'
For the charts there, and for Prometheus: ${metricsToken}
Logs: ${relative(projectRoot, join(dataDir, 'logs')) || '.'}
Stop: Ctrl-C
`;
}
