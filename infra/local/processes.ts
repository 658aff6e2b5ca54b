/** Starts core and edge as processes on this machine, and waits until they answer. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { readEdgeVariables } from './edge-variables.ts';
import { edgeEnvironment, type LocalSecrets, type LocalSettings, projectRoot } from './settings.ts';
import { writeWorkerdConfig } from './workerd-config.ts';

/** The binary itself: node_modules/.bin/workerd is a wrapper script that does not forward signals. */
const { default: workerdProgram } = createRequire(import.meta.url)('workerd') as { default: string };

type Environment = Readonly<Record<string, string | undefined>>;

export function startCore(env: Environment, settings: LocalSettings, secrets: LocalSecrets): Child {
  return startChild({
    name: 'core',
    command: process.execPath,
    args: [
      ...(settings.inspect ? [`--inspect=127.0.0.1:${settings.inspect.core}`] : []),
      join(projectRoot, 'core/server.ts'),
    ],
    cwd: projectRoot,
    env: {
      EDGEWISE_DATABASE_DIR: join(settings.dataDir, 'postgres'),
      ...env,
      CORE_PORT: String(settings.corePort),
      EDGEWISE_SERVICE_SECRET: secrets.serviceSecret,
    },
    logFile: join(settings.dataDir, 'logs/core.log'),
  });
}

/** The Worker must be built before; see `build.ts`. */
export async function startEdge(
  env: Environment,
  settings: LocalSettings,
  secrets: LocalSecrets,
): Promise<Child> {
  const bindings = edgeEnvironment(env, settings, secrets, await readEdgeVariables());
  const config = await writeWorkerdConfig({
    dir: join(settings.dataDir, 'edge'),
    port: settings.edgePort,
    bindings: Object.keys(bindings),
    ...(settings.bundle !== undefined && { bundle: settings.bundle }),
  });
  return startChild({
    name: 'edge',
    command: workerdProgram,
    args: [
      'serve',
      config,
      ...(settings.inspect ? [`--inspector-addr=127.0.0.1:${settings.inspect.edge}`] : []),
    ],
    cwd: projectRoot,
    env: { PATH: env.PATH, ...bindings },
    logFile: join(settings.dataDir, 'logs/edge.log'),
  });
}

export interface Health {
  core: { status: string; models?: { id: string; generative: boolean; reason?: string }[] };
}

const READY_MS = 30_000;
const POLL_MS = 50;

/**
 * Waits until the edge answers and reaches the core.
 * @throws Error with the last log lines when a child exits, or after {@link READY_MS}
 */
export async function untilHealthy(edgePort: number, children: Child[]): Promise<Health> {
  let exited: Child | undefined;
  for (const child of children) {
    void child.ended.then(() => {
      exited ??= child;
    });
  }
  for (const endMs = Date.now() + READY_MS; Date.now() < endMs; ) {
    if (exited) throw await exitError(exited);
    const health = await readHealth(edgePort);
    if (health === 'failing') {
      const causes = await Promise.all(children.map(async (child) => lastCause(await child.lastLogLines())));
      throw new Error(`The edge cannot serve:\n${causes.find(Boolean) ?? 'see its log.'}`);
    }
    if (health?.core.status === 'ok') return health;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const logs = await Promise.all(
    children.map(async (child) => `${child.name}:\n${await child.lastLogLines()}`),
  );
  throw new Error(`Edgewise was not ready after ${READY_MS / 1000} seconds.\n${logs.join('\n')}`);
}

export async function exitError(child: Child): Promise<Error> {
  return new Error(`The ${child.name} ${await child.ended}:\n${await child.lastLogLines()}`);
}

/** The cause of the last error in these log lines. */
function lastCause(lines: string): string | undefined {
  const causes = lines.split('\n').flatMap((line) => {
    try {
      const { 'error.message': cause } = JSON.parse(line) as Record<string, unknown>;
      return typeof cause === 'string' ? [cause] : [];
    } catch {
      return [];
    }
  });
  return causes.at(-1)?.replace(/^Error: /, '');
}

/** @returns `failing` when the edge runs but answers 500, as it does for a wrong configuration */
async function readHealth(edgePort: number): Promise<Health | 'failing' | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${edgePort}/healthz`, {
      signal: AbortSignal.timeout(3000),
    });
    if (response.status === 500) return 'failing';
    return response.ok ? ((await response.json()) as Health) : undefined;
  } catch {
    return undefined;
  }
}
