/** `npm start`: builds the edge, starts core and edge on this machine, and stops both together. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { buildEdge } from '../local/build.ts';
import type { Child } from '../local/child.ts';
import { lockDataDir } from '../local/lock.ts';
import { requireFreePort } from '../local/ports.ts';
import { fallenError, type Health, startCore, startEdge, untilHealthy } from '../local/processes.ts';
import { runMain } from '../local/run-main.ts';
import { localSecrets } from '../local/secrets.ts';
import { type LocalSettings, projectRoot, readLocalSettings } from '../local/settings.ts';
import { defaultClaims, signLocalToken } from '../local/token.ts';

/** A stopped core lets running answers end for a moment; nobody who pressed Ctrl-C waits longer. */
const STOP_MS = 5000;

await runMain(main);

async function main(): Promise<void> {
  const settings = readLocalSettings(process.env);
  await requireFreePort(settings.edgePort, 'PORT');
  await requireFreePort(settings.corePort, 'CORE_PORT');
  const unlock = await lockDataDir(settings.dataDir);
  const asked = askedToStop();
  const children: Child[] = [];
  const reap = startReaper();
  try {
    const secrets = await localSecrets(settings.dataDir);
    await mkdir(join(settings.dataDir, 'logs'), { recursive: true });
    console.log('Building the edge ...');
    await buildEdge();
    const metricsToken = process.env.EDGEWISE_METRICS_TOKEN || randomBytes(18).toString('base64url');
    const env = {
      EDGEWISE_GRACE_MS: '3000',
      // Before the first visitor, and not while one waits.
      EDGEWISE_OPEN_DATABASE: 'on',
      ...process.env,
      EDGEWISE_METRICS_TOKEN: metricsToken,
    };
    children.push(startCore(env, settings, secrets), await startEdge(env, settings, secrets));
    reap(children);
    const health = await Promise.race([untilHealthy(settings.edgePort, children), asked]);
    if (!health) return;
    // Where a key set says who gets in, there is no secret here to sign with.
    const token = /^(?:HS256)?$/.test(process.env.EDGEWISE_JWT_ALGORITHM ?? '')
      ? await signLocalToken(process.env.EDGEWISE_JWT_SECRET || secrets.jwtSecret, defaultClaims)
      : 'A_TOKEN_OF_YOUR_ISSUER';
    console.log(welcome(settings, health, { token, metricsToken }));
    const fallen = await Promise.race([
      asked,
      ...children.map(async (child) => child.ended.then(() => child)),
    ]);
    if (fallen) throw await fallenError(fallen);
    console.log('\nStopping ...');
  } finally {
    // The edge first, so that it does not see its core go away.
    for (const child of children.reverse()) await child.stop(STOP_MS);
    reap([]);
    await unlock();
  }
}

/** Resolves at the first Ctrl-C or SIGTERM. */
function askedToStop(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => resolve(undefined));
  });
}

/** @returns what tells the reaper whom to end should this process be killed; nobody any more, when given none */
function startReaper(): (children: Child[]) => void {
  const reaper = spawn(process.execPath, [join(import.meta.dirname, '../local/reaper.ts')], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  reaper.unref();
  return (children) => {
    for (const { pid } of children) reaper.stdin.write(`${pid}\n`);
    if (children.length === 0) reaper.stdin.end('done\n');
  };
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
An operator's, for ${address}/admin: npm run --silent token -- --sub operator --scope admin
For the charts there, and for Prometheus: ${metricsToken}
Logs: ${relative(projectRoot, join(dataDir, 'logs')) || '.'}
Stop: Ctrl-C
`;
}
