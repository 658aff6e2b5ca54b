import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { bringUpToDate, connectPostgres, migrationsFolder } from '../../core/db/database.ts';
import { deploy, rollback } from '../deploy/deployment.ts';
import { pendingMigrations } from '../deploy/pending-migrations.ts';
import { buildEdge } from '../local/build.ts';
import { reportProgress, runCommand, UsageError, type Values } from '../local/command.ts';
import { projectRoot } from '../local/settings.ts';
import { runWrangler } from '../local/wrangler.ts';

const run = promisify(execFile);
/** A new version reaches every Cloudflare location within this time. */
const HEALTHY_MS = 60_000;
const POLL_MS = 2000;

const options = {
  env: {
    type: 'string',
    value: 'staging|production',
    isRequired: true,
    help: 'Environment of wrangler.toml',
  },
  url: { type: 'string', value: 'URL', help: 'Check /readyz there, and roll back when it fails' },
  message: { type: 'string', value: 'TEXT', help: 'Description of the version (default: the last commit)' },
  'dry-run': { type: 'boolean', help: 'Build and show what would be deployed; change nothing' },
  rollback: { type: 'boolean', help: 'Go back to the previous version, and do nothing else' },
} as const;

await runCommand({
  name: 'npm run deploy',
  summary:
    'Deploys the edge to Cloudflare: migrations first, then the Worker, then a health check with ' +
    'automatic rollback. The core is a container or a function: see infra/README.md.',
  options,
  environment: {
    DATABASE_URL: 'postgres:// address of the database to migrate; without it no migration runs',
  },
  example: 'npm run deploy -- --env production --url https://chat.example.com',
  run: deployEdge,
});

async function deployEdge(values: Values<typeof options>): Promise<void> {
  const { env: environment, url, message } = values;
  if (values['dry-run'] && values.rollback)
    throw new UsageError('--dry-run and --rollback exclude each other.');
  const databaseUrl = process.env.DATABASE_URL;
  const wrangler = (args: string[]) =>
    runWrangler([...args, '--env', environment]).catch((error: Error) => {
      throw new Error(`wrangler ${args[0]} failed:\n${error.message}`);
    });
  const print = (line: string) => console.log(line);
  if (values.rollback) return rollback(message ?? 'rolled back by hand', { wrangler, print });
  await deploy(
    { environment, isDry: values['dry-run'], message: message ?? (await lastCommit()) },
    {
      build: () => {
        reportProgress('Building the Worker ...');
        return buildEdge();
      },
      pendingMigrations: async () =>
        databaseUrl ? pendingMigrations(databaseUrl, migrationsFolder) : undefined,
      migrate: () => migrate(String(databaseUrl)),
      wrangler,
      isHealthy: async () => (url === undefined ? undefined : isReady(url)),
      print,
    },
  );
}

async function migrate(url: string): Promise<void> {
  const connection = await connectPostgres(url);
  try {
    await bringUpToDate(connection);
  } finally {
    await connection.close();
  }
}

/** Waits until edge, core and their stores work together. */
async function isReady(url: string): Promise<boolean> {
  for (const endMs = Date.now() + HEALTHY_MS; Date.now() < endMs; ) {
    try {
      const answer = await fetch(`${url.replace(/\/+$/, '')}/readyz`, { signal: AbortSignal.timeout(5000) });
      if (answer.ok && ((await answer.json()) as { status?: string }).status === 'ready') return true;
    } catch {
      // The next poll tries again.
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return false;
}

async function lastCommit(): Promise<string> {
  try {
    const { stdout } = await run('git', ['log', '-1', '--format=%h %s'], { cwd: projectRoot });
    return stdout.trim().slice(0, 100);
  } catch {
    return 'deployed';
  }
}
