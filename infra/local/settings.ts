/** Settings of the local commands from the environment: ports, the data folder, and the variables of the edge. */
import { join, resolve } from 'node:path';

export const projectRoot: string = join(import.meta.dirname, '../..');

export interface LocalSettings {
  edgePort: number;
  corePort: number;
  /** All state of local start: secrets, logs, Durable Objects. */
  dataDir: string;
  /** Inspector ports, when the processes are profiled. */
  inspect?: { edge: number; core: number };
  /** Path of another Worker bundle than the built one. */
  bundle?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What `--help` of the local commands says about these settings. */
export const localVariables: Readonly<Record<string, string>> = {
  PORT: 'Port of the edge (8787)',
  CORE_PORT: 'Port of the core (8788)',
  EDGEWISE_DATA: 'Folder for secrets, logs, Durable Objects and the embedded database (.data)',
  OPENAI_API_KEY: 'Key of the default models file; without any model only the knowledge base answers',
};

/** @throws Error that says which variable is wrong and how */
export function readLocalSettings(env: Environment): LocalSettings {
  const edgePort = parsePort('PORT', env.PORT, 8787);
  const corePort = parsePort('CORE_PORT', env.CORE_PORT, 8788);
  if (edgePort === corePort) throw new Error(`PORT and CORE_PORT are both ${edgePort}; they must differ.`);
  return { edgePort, corePort, dataDir: resolve(projectRoot, env.EDGEWISE_DATA || '.data') };
}

function parsePort(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined || text === '') return fallback;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 1 && port <= 65_535) return port;
  throw new Error(`${name} must be a port from 1 to 65535, but is "${text}".`);
}

/**
 * The text bindings of the Worker when it runs on this machine.
 * @param variables names of the edge's variables; those that are set reach the Worker
 */
export function edgeEnvironment(
  env: Environment,
  settings: LocalSettings,
  secrets: LocalSecrets,
  variables: readonly string[],
): Record<string, string> {
  const bindings: Record<string, string> = {
    EDGEWISE_CORE_URL: env.EDGEWISE_CORE_URL || `http://127.0.0.1:${settings.corePort}`,
    EDGEWISE_JWT_SECRET: secrets.jwtSecret,
    EDGEWISE_GUESTS: 'on',
    EDGEWISE_STATE_KEYS: `local:${secrets.stateSecret}`,
  };
  for (const name of variables) {
    const value = env[name];
    if (value) bindings[name] = value;
  }
  return { ...bindings, EDGEWISE_SERVICE_SECRET: secrets.serviceSecret };
}

export interface LocalSecrets {
  /** Signs users' tokens (HS256). */
  jwtSecret: string;
  /** Signs the edge's calls to the core. */
  serviceSecret: string;
  /** Encrypts the conversations that clients keep. */
  stateSecret: string;
}
