/** The core as a Node process: listens, and on SIGTERM lets running generations end. */
import { serve } from '@hono/node-server';
import { toAppError } from '../shared/errors.ts';
import { createApp } from './app.ts';
import { DataFolderError } from './db/data-folder.ts';
import { parseCoreEnv } from './env.ts';
import { ModelsFileError } from './models/models-file.ts';
import { consoleToLog } from './observe/console-to-log.ts';
import { logLine } from './observe/log.ts';
import { type CoreServices, createCoreServices } from './services.ts';

const RETENTION_MS = 3_600_000;

// Files of the embedded database are for this user alone, whatever the shell's mask says.
process.umask(0o077);
try {
  await main();
} catch (error) {
  // Configuration mistakes are for a person to read; anything else is ours and keeps its stack.
  const known =
    error instanceof ModelsFileError ||
    error instanceof DataFolderError ||
    (error instanceof Error && error.message.startsWith('The core'));
  console.error(known ? (error as Error).message : error);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const config = parseCoreEnv(process.env);
  const services = await createCoreServices(config, process.env);
  const { generations } = services;
  if (config.opensDatabase) await openDatabase(services);
  const server = serve(
    { fetch: createApp(services).fetch, hostname: config.host, port: config.port },
    ({ port }) => {
      logLine('info', 'core listens', { edgewise: { port } });
      consoleToLog(console, logLine);
      services.resumeBatches();
      if (config.retentionDays.size > 0) void letOldThingsGo(services);
    },
  );
  server.on('error', (error) => {
    console.error(`The core cannot listen on port ${config.port}: ${error.message}`);
    process.exit(1);
  });

  const retention = setInterval(() => void letOldThingsGo(services), RETENTION_MS).unref();
  let stopping = false;
  async function stop(): Promise<void> {
    if (stopping) return;
    stopping = true;
    clearInterval(retention);
    logLine('info', 'core stops', {});
    await generations.drain(config.graceMs);
    server.close(() => void services.close().then(() => process.exit(0)));
    // Idle keep-alive connections would hold the process.
    if ('closeAllConnections' in server) setTimeout(() => server.closeAllConnections(), 200).unref();
  }
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
}

/** A database that is away now may be there when it is needed. */
async function openDatabase({ database }: CoreServices): Promise<void> {
  try {
    await database.acrossTenants(async () => undefined);
  } catch (error) {
    logLine('warn', 'the database cannot be opened', { 'error.code': toAppError(error).code });
  }
}

/** What is old enough goes at the start, and every hour. */
async function letOldThingsGo({ applyRetention }: CoreServices): Promise<void> {
  try {
    const removed = await applyRetention();
    if (removed.conversations + removed.usage > 0)
      logLine('info', 'retention', { 'event.action': 'retention', edgewise: removed });
  } catch (error) {
    logLine('warn', 'retention', { 'event.action': 'retention', 'error.code': toAppError(error).code });
  }
}
