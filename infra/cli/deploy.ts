/**
 * `npm run deploy -- --env production [--url https://chat.example.com] [--dry-run]`: the tables of `DATABASE_URL` and the
 * edge. `--rollback` goes back to the version before. The core is a container or a function: see infra/README.md.
 */
import { execFile } from 'node:child_process';
import { parseArgs, promisify } from 'node:util';
import { bringUpToDate, connectPostgres, migrationsFolder } from '../../core/db/database.ts';
import { deploy, rollback } from '../deploy/deployment.ts';
import { pendingMigrations } from '../deploy/pending-migrations.ts';
import { buildEdge } from '../local/build.ts';
import { runMain } from '../local/run-main.ts';
import { projectRoot } from '../local/settings.ts';
import { runWrangler } from '../local/wrangler.ts';

const run = promisify(execFile);
const usage =
  'npm run deploy -- --env staging|production [--url https://...] [--message TEXT] [--dry-run | --rollback]';
/** The newest version reaches every location within this time. */
const WELL_MS = 60_000;
const POLL_MS = 2000;

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      env: { type: 'string' },
      url: { type: 'string' },
      message: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      rollback: { type: 'boolean', default: false },
    },
  });
  const environment = values.env;
  if (environment === undefined) throw new Error(usage);
  const databaseUrl = process.env.DATABASE_URL;
  const say = (line: string) => console.log(line);
  const wrangler = (args: string[]) =>
    runWrangler([...args, '--env', environment]).catch((error: Error) => {
      throw new Error(`wrangler ${args[0]} failed:\n${error.message}`);
    });
  if (values.rollback) return rollback(values.message ?? 'rolled back by hand', { wrangler, say });
  await deploy(
    { environment, isDry: values['dry-run'], message: values.message ?? (await newestCommit()) },
    {
      build: buildEdge,
      pendingMigrations: async () =>
        databaseUrl ? pendingMigrations(databaseUrl, migrationsFolder) : undefined,
      migrate: () => migrate(String(databaseUrl)),
      wrangler,
      isWell: async () => (values.url === undefined ? undefined : isWell(values.url)),
      say,
    },
  );
});

async function migrate(url: string): Promise<void> {
  const connection = await connectPostgres(url);
  try {
    await bringUpToDate(connection);
  } finally {
    await connection.close();
  }
}

/** Waits until the edge answers and reaches its core. */
async function isWell(url: string): Promise<boolean> {
  for (const endMs = Date.now() + WELL_MS; Date.now() < endMs; ) {
    try {
      const answer = await fetch(`${url.replace(/\/+$/, '')}/healthz`, { signal: AbortSignal.timeout(5000) });
      const health = (await answer.json()) as { status?: string; core?: { status?: string } };
      if (answer.ok && health.status === 'ok' && health.core?.status === 'ok') return true;
    } catch {
      // It is asked again.
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return false;
}

async function newestCommit(): Promise<string> {
  try {
    const { stdout } = await run('git', ['log', '-1', '--format=%h %s'], { cwd: projectRoot });
    return stdout.trim().slice(0, 100);
  } catch {
    return 'deployed';
  }
}
