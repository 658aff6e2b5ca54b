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

/** Optional text bindings of the edge; those that are set reach the Worker. */
export const edgeVariables = [
  'EDGEWISE_JWT_ALGORITHM',
  'EDGEWISE_JWT_SECRET',
  'EDGEWISE_JWKS_URL',
  'EDGEWISE_JWT_ISSUER',
  'EDGEWISE_JWT_AUDIENCE',
  'EDGEWISE_TOKEN_SECRET',
  'EDGEWISE_GUESTS',
  'EDGEWISE_OIDC_ISSUER',
  'EDGEWISE_OIDC_CLIENT_ID',
  'EDGEWISE_OIDC_SCOPE',
  'EDGEWISE_CORS_ORIGINS',
  'EDGEWISE_MAX_BODY_BYTES',
  'EDGEWISE_MAX_UPLOAD_BYTES',
  'EDGEWISE_BODY_TIMEOUT_MS',
  'EDGEWISE_KNOWLEDGE_TENANTS',
  'EDGEWISE_LOG_LEVEL',
  'EDGEWISE_METRICS_TOKEN',
  'EDGEWISE_OTLP_URL',
  'EDGEWISE_OTLP_AUTHORIZATION',
  'EDGEWISE_TRACE_SAMPLE',
  'EDGEWISE_WINDOW_ROUNDS',
  'EDGEWISE_WINDOW_TOKENS',
  'EDGEWISE_LIGHT_BASE_URL',
  'EDGEWISE_LIGHT_API_KEY',
  'EDGEWISE_LIGHT_MODEL',
  'EDGEWISE_LIGHT_MAX_OUTPUT_TOKENS',
  'EDGEWISE_HEARTBEAT_MS',
  'EDGEWISE_TURN_TIMEOUT_MS',
  'EDGEWISE_SESSION_TTL_HOURS',
  'EDGEWISE_TURN_TTL_MINUTES',
  'EDGEWISE_STATE_KEYS',
  'EDGEWISE_FILTER_FAILURE',
  'EDGEWISE_MASK_PERSONAL_DATA',
  'EDGEWISE_MODERATION_URL',
  'EDGEWISE_MODERATION_API_KEY',
  'EDGEWISE_MODERATION_MODEL',
  'EDGEWISE_MODERATION_ANSWERS',
  'EDGEWISE_LIMITS',
  'EDGEWISE_PLANS',
  'EDGEWISE_ARCHIVE',
  'EDGEWISE_CACHE',
  'EDGEWISE_CACHE_TTL_SECONDS',
  'EDGEWISE_CACHE_STALE_SECONDS',
  'EDGEWISE_CACHE_ISOLATE_BYTES',
  'EDGEWISE_CACHE_CHARS_PER_SECOND',
  'EDGEWISE_CACHE_POLICY',
  'EDGEWISE_CACHE_SHARED_TENANTS',
  'EDGEWISE_SEMANTIC_TENANTS',
  'EDGEWISE_SEMANTIC_DELTA',
  'EDGEWISE_EMBEDDINGS_BASE_URL',
  'EDGEWISE_EMBEDDINGS_API_KEY',
  'EDGEWISE_EMBEDDINGS_MODEL',
  'EDGEWISE_JUDGE_MODEL',
  'EDGEWISE_STATE_MAX_CHARS',
  'UPSTASH_REDIS_REST_URL',
  'UPSTASH_REDIS_REST_TOKEN',
] as const;

/** The text bindings of the Worker when it runs on this machine. */
export function edgeEnvironment(
  env: Environment,
  settings: LocalSettings,
  secrets: LocalSecrets,
): Record<string, string> {
  const bindings: Record<string, string> = {
    EDGEWISE_CORE_URL: env.EDGEWISE_CORE_URL || `http://127.0.0.1:${settings.corePort}`,
    EDGEWISE_SERVICE_SECRET: secrets.serviceSecret,
    EDGEWISE_JWT_SECRET: secrets.jwtSecret,
    EDGEWISE_GUESTS: 'on',
    EDGEWISE_STATE_KEYS: `local:${secrets.stateSecret}`,
  };
  for (const name of edgeVariables) {
    const value = env[name];
    if (value) bindings[name] = value;
  }
  return bindings;
}

export interface LocalSecrets {
  /** Signs users' tokens (HS256). */
  jwtSecret: string;
  /** Signs the edge's calls to the core. */
  serviceSecret: string;
  /** Encrypts the conversations that clients keep. */
  stateSecret: string;
}
