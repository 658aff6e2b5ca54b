/** The core as a Node process: listens, and on SIGTERM lets running generations end. */
import { serve } from '@hono/node-server';
import { createApp } from './app.ts';
import { parseCoreEnv } from './env.ts';
import { ModelsFileError } from './models/models-file.ts';
import { logLine } from './observe/log.ts';
import { createCoreServices } from './services.ts';

try {
  await main();
} catch (error) {
  // Configuration mistakes are for a person to read; anything else is ours and keeps its stack.
  const known =
    error instanceof ModelsFileError || (error instanceof Error && error.message.startsWith('The core'));
  console.error(known ? (error as Error).message : error);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const config = parseCoreEnv(process.env);
  const services = await createCoreServices(config, process.env);
  const { generations } = services;
  const server = serve(
    { fetch: createApp(services).fetch, hostname: config.host, port: config.port },
    ({ port }) => {
      logLine('info', 'core listens', { port });
      services.resumeBatches();
    },
  );
  server.on('error', (error) => {
    console.error(`The core cannot listen on port ${config.port}: ${error.message}`);
    process.exit(1);
  });

  let stopping = false;
  async function stop(): Promise<void> {
    if (stopping) return;
    stopping = true;
    logLine('info', 'core stops', {});
    await generations.drain(config.graceMs);
    server.close(() => void services.close().then(() => process.exit(0)));
    // Idle keep-alive connections would hold the process.
    if ('closeAllConnections' in server) setTimeout(() => server.closeAllConnections(), 200).unref();
  }
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
}
