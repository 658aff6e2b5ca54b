/** The Worker's bindings, parsed once per isolate. Every missing or wrong key is named at once. */
import * as v from 'valibot';
import { importServiceKey } from '../shared/protocol/service-token.ts';
import { OWN_ISSUER } from './auth/own-tokens.ts';
import { type JwtConfig, signatureAlgorithms } from './auth/token-verifier.ts';
import type { EdgeBindings } from './bindings.ts';
import { type EdgeConfig, type EmbeddingsConfig, type LightConfig, personalDataLabels } from './config.ts';
import { parsePlans, usualPlans } from './limits/plans.ts';
import { logLevels } from './observe/log.ts';
import type { StateKey } from './session/sealed-state.ts';

export type { EdgeBindings };

const text = v.optional(v.pipe(v.string(), v.trim()), '');
const list = v.pipe(
  text,
  v.transform((value) =>
    value
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  ),
);
const integer = (fallback: number, minimum: number) =>
  v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d+$/, 'must be a whole number'),
      v.transform(Number),
      v.minValue(minimum, `must be at least ${minimum}`),
      v.maxValue(Number.MAX_SAFE_INTEGER, 'is too large'),
    ),
    String(fallback),
  );
const webAddress = v.pipe(
  text,
  v.check((value) => value === '' || isWebAddress(value), 'must be an http or https address'),
);

export const bindingsSchema = v.object({
  EDGEWISE_CORE_URL: v.pipe(
    list,
    v.minLength(1, 'is missing'),
    v.check((urls) => urls.every(isWebAddress), 'must be http or https addresses, with commas between'),
  ),
  EDGEWISE_SERVICE_SECRET: v.pipe(text, v.minLength(32, 'must have at least 32 characters')),
  EDGEWISE_JWT_ALGORITHM: v.optional(
    v.picklist(signatureAlgorithms, `must be one of ${signatureAlgorithms.join(', ')}`),
    'HS256',
  ),
  EDGEWISE_JWT_SECRET: text,
  EDGEWISE_JWKS_URL: webAddress,
  EDGEWISE_JWT_ISSUER: v.optional(v.pipe(v.string(), v.minLength(1, 'must not be empty')), 'edgewise'),
  EDGEWISE_JWT_AUDIENCE: v.optional(v.pipe(v.string(), v.minLength(1, 'must not be empty')), 'edgewise'),
  EDGEWISE_TOKEN_SECRET: v.pipe(
    text,
    v.check((value) => value === '' || value.length >= 32, 'must have at least 32 characters'),
  ),
  EDGEWISE_GUESTS: v.optional(v.picklist(['on', 'off'], 'must be on or off'), 'off'),
  EDGEWISE_OIDC_ISSUER: webAddress,
  EDGEWISE_OIDC_CLIENT_ID: text,
  EDGEWISE_OIDC_SCOPE: v.optional(v.string(), 'openid profile offline_access'),
  EDGEWISE_CORS_ORIGINS: list,
  EDGEWISE_MAX_BODY_BYTES: integer(1024 * 1024, 1024),
  EDGEWISE_MAX_UPLOAD_BYTES: integer(25 * 1024 * 1024, 1024),
  EDGEWISE_BODY_TIMEOUT_MS: integer(30_000, 100),
  EDGEWISE_WINDOW_ROUNDS: integer(5, 0),
  EDGEWISE_WINDOW_TOKENS: integer(2048, 16),
  EDGEWISE_LIGHT_BASE_URL: webAddress,
  EDGEWISE_LIGHT_API_KEY: text,
  EDGEWISE_LIGHT_MODEL: text,
  EDGEWISE_LIGHT_MAX_OUTPUT_TOKENS: integer(4096, 1),
  EDGEWISE_WORKERS_AI_MODEL: text,
  EDGEWISE_HEARTBEAT_MS: integer(15_000, 10),
  EDGEWISE_TURN_TIMEOUT_MS: integer(300_000, 1000),
  EDGEWISE_SESSION_TTL_HOURS: integer(720, 1),
  EDGEWISE_TURN_TTL_MINUTES: integer(1440, 1),
  EDGEWISE_STATE_KEYS: v.pipe(
    text,
    v.check(
      (value) => value === '' || toStateKeys(value).every(isStateKey),
      'must be "id:secret", several with commas between: ids of letters and digits, secrets of 32 characters or more',
    ),
  ),
  EDGEWISE_STATE_MAX_CHARS: integer(8192, 256),
  EDGEWISE_FILTER_FAILURE: v.optional(v.picklist(['open', 'closed'], 'must be open or closed'), 'closed'),
  EDGEWISE_MASK_PERSONAL_DATA: v.pipe(
    list,
    v.array(v.picklist(personalDataLabels, `must be of ${personalDataLabels.join(', ')}`)),
  ),
  EDGEWISE_MODERATION_URL: webAddress,
  EDGEWISE_MODERATION_API_KEY: text,
  EDGEWISE_MODERATION_MODEL: text,
  EDGEWISE_MODERATION_ANSWERS: v.optional(
    v.picklist(['off', 'before', 'after'], 'must be off, before or after'),
    'off',
  ),
  EDGEWISE_LIMITS: v.optional(v.picklist(['on', 'off'], 'must be on or off'), 'on'),
  EDGEWISE_PLANS: v.pipe(
    text,
    v.check(
      (value) => value === '' || parsePlans(value) !== undefined,
      'must be plans as JSON; see edge/limits/plans.ts',
    ),
  ),
  EDGEWISE_KNOWLEDGE_TENANTS: list,
  EDGEWISE_LOG_LEVEL: v.optional(v.picklist(logLevels, `must be one of ${logLevels.join(', ')}`), 'info'),
  EDGEWISE_METRICS_TOKEN: v.pipe(
    text,
    v.check((value) => value === '' || value.length >= 16, 'must have at least 16 characters'),
  ),
  EDGEWISE_OTLP_URL: webAddress,
  EDGEWISE_OTLP_AUTHORIZATION: text,
  EDGEWISE_TRACE_SAMPLE: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^(?:0(?:\.\d+)?|1(?:\.0+)?)$/, 'must be a number from 0 to 1'),
      v.transform(Number),
    ),
    '0.01',
  ),
  EDGEWISE_ARCHIVE: v.optional(v.picklist(['on', 'off'], 'must be on or off'), 'on'),
  EDGEWISE_CACHE: v.optional(v.picklist(['on', 'off'], 'must be on or off'), 'on'),
  EDGEWISE_CACHE_TTL_SECONDS: integer(3600, 1),
  EDGEWISE_CACHE_STALE_SECONDS: integer(600, 0),
  EDGEWISE_CACHE_ISOLATE_BYTES: integer(16 * 1024 * 1024, 1024 * 1024),
  EDGEWISE_CACHE_CHARS_PER_SECOND: integer(0, 0),
  EDGEWISE_CACHE_POLICY: text,
  EDGEWISE_CACHE_SHARED_TENANTS: list,
  EDGEWISE_SEMANTIC_TENANTS: list,
  EDGEWISE_SEMANTIC_DELTA: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^0?\.\d+$/, 'must be a number between 0 and 0.5'),
      v.transform(Number),
      v.minValue(0.001, 'must be at least 0.001'),
      v.maxValue(0.5, 'must be at most 0.5'),
    ),
    '0.02',
  ),
  EDGEWISE_EMBEDDINGS_BASE_URL: webAddress,
  EDGEWISE_EMBEDDINGS_API_KEY: text,
  EDGEWISE_EMBEDDINGS_MODEL: text,
  EDGEWISE_WORKERS_AI_EMBEDDINGS_MODEL: text,
  EDGEWISE_JUDGE_MODEL: text,
  UPSTASH_REDIS_REST_URL: webAddress,
  UPSTASH_REDIS_REST_TOKEN: text,
});
type ParsedBindings = v.InferOutput<typeof bindingsSchema>;

/** @throws Error that lists every binding at fault, one a line. */
export function parseEdgeEnv(bindings: EdgeBindings): EdgeConfig {
  const parsed = v.safeParse(bindingsSchema, bindings);
  if (!parsed.success) {
    throw configError(parsed.issues.map((issue) => `${v.getDotPath(issue)} ${issue.message}`));
  }
  const env = parsed.output;
  const faults = crossFaults(env, bindings.AI !== undefined);
  if (faults.length > 0) throw configError(faults);
  return {
    coreUrls: env.EDGEWISE_CORE_URL.map((url) => url.replace(/\/+$/, '')),
    serviceKey: importServiceKey(env.EDGEWISE_SERVICE_SECRET),
    jwt: toJwtConfig(env),
    tokenSecret: toTokenSecret(env),
    guests: env.EDGEWISE_GUESTS === 'on',
    signIn: env.EDGEWISE_OIDC_ISSUER
      ? {
          issuer: env.EDGEWISE_OIDC_ISSUER,
          clientId: env.EDGEWISE_OIDC_CLIENT_ID,
          scope: env.EDGEWISE_OIDC_SCOPE,
        }
      : undefined,
    corsOrigins: env.EDGEWISE_CORS_ORIGINS,
    maxBodyBytes: env.EDGEWISE_MAX_BODY_BYTES,
    isArchiveOn: env.EDGEWISE_ARCHIVE === 'on',
    maxUploadBytes: env.EDGEWISE_MAX_UPLOAD_BYTES,
    bodyTimeoutMs: env.EDGEWISE_BODY_TIMEOUT_MS,
    logLevel: env.EDGEWISE_LOG_LEVEL,
    metricsToken: env.EDGEWISE_METRICS_TOKEN || undefined,
    traces: env.EDGEWISE_OTLP_URL
      ? {
          url: env.EDGEWISE_OTLP_URL.replace(/\/+$/, ''),
          authorization: env.EDGEWISE_OTLP_AUTHORIZATION || undefined,
          sample: env.EDGEWISE_TRACE_SAMPLE,
        }
      : undefined,
    knowledgeTenants: env.EDGEWISE_KNOWLEDGE_TENANTS,
    window: { rounds: env.EDGEWISE_WINDOW_ROUNDS, tokens: env.EDGEWISE_WINDOW_TOKENS },
    light: toLightConfig(env),
    redis: env.UPSTASH_REDIS_REST_URL
      ? { url: env.UPSTASH_REDIS_REST_URL, token: env.UPSTASH_REDIS_REST_TOKEN }
      : undefined,
    heartbeatMs: env.EDGEWISE_HEARTBEAT_MS,
    turnTimeoutMs: env.EDGEWISE_TURN_TIMEOUT_MS,
    sessionTtlMs: env.EDGEWISE_SESSION_TTL_HOURS * 3_600_000,
    turnTtlMs: env.EDGEWISE_TURN_TTL_MINUTES * 60_000,
    plans: env.EDGEWISE_LIMITS === 'on' ? { ...usualPlans, ...parsePlans(env.EDGEWISE_PLANS) } : undefined,
    filter: {
      onFailure: env.EDGEWISE_FILTER_FAILURE,
      personalData: env.EDGEWISE_MASK_PERSONAL_DATA,
      moderation: env.EDGEWISE_MODERATION_URL
        ? {
            url: env.EDGEWISE_MODERATION_URL,
            apiKey: env.EDGEWISE_MODERATION_API_KEY || undefined,
            model: env.EDGEWISE_MODERATION_MODEL || undefined,
            answers: env.EDGEWISE_MODERATION_ANSWERS,
          }
        : undefined,
    },
    cache: {
      isOn: env.EDGEWISE_CACHE === 'on',
      ttlMs: env.EDGEWISE_CACHE_TTL_SECONDS * 1000,
      staleMs: env.EDGEWISE_CACHE_STALE_SECONDS * 1000,
      isolateBytes: env.EDGEWISE_CACHE_ISOLATE_BYTES,
      charsPerSecond: env.EDGEWISE_CACHE_CHARS_PER_SECOND,
      policy: env.EDGEWISE_CACHE_POLICY,
      sharedTenants: env.EDGEWISE_CACHE_SHARED_TENANTS,
    },
    meaning: {
      tenants: env.EDGEWISE_SEMANTIC_TENANTS,
      delta: env.EDGEWISE_SEMANTIC_DELTA,
      embeddings: toEmbeddingsConfig(env),
      judgeModel: env.EDGEWISE_JUDGE_MODEL || undefined,
    },
    state: env.EDGEWISE_STATE_KEYS
      ? { keys: toStateKeys(env.EDGEWISE_STATE_KEYS), maxChars: env.EDGEWISE_STATE_MAX_CHARS }
      : undefined,
  };
}

/** What no single binding shows. */
function crossFaults(env: ParsedBindings, hasWorkersAi: boolean): string[] {
  const faults: string[] = [];
  if (env.EDGEWISE_JWT_ALGORITHM === 'HS256') {
    if (env.EDGEWISE_JWT_SECRET.length < 32) {
      faults.push('EDGEWISE_JWT_SECRET must have at least 32 characters for HS256');
    }
  } else if (env.EDGEWISE_JWKS_URL === '') {
    faults.push(`EDGEWISE_JWKS_URL is missing; ${env.EDGEWISE_JWT_ALGORITHM} keys are read from it`);
  }
  if (env.EDGEWISE_JWT_ISSUER === OWN_ISSUER) {
    faults.push('EDGEWISE_JWT_ISSUER is the name under which the edge issues tokens itself');
  }
  if (env.EDGEWISE_GUESTS === 'on' && toTokenSecret(env) === undefined) {
    faults.push('EDGEWISE_TOKEN_SECRET is missing; EDGEWISE_GUESTS needs it');
  }
  if (env.EDGEWISE_OIDC_ISSUER !== '' && env.EDGEWISE_OIDC_CLIENT_ID === '') {
    faults.push('EDGEWISE_OIDC_CLIENT_ID is missing; EDGEWISE_OIDC_ISSUER needs it');
  }
  if (env.EDGEWISE_LIGHT_BASE_URL !== '' && env.EDGEWISE_LIGHT_MODEL === '') {
    faults.push('EDGEWISE_LIGHT_MODEL is missing; EDGEWISE_LIGHT_BASE_URL needs it');
  }
  if (env.EDGEWISE_WORKERS_AI_MODEL !== '' && !hasWorkersAi) {
    faults.push('EDGEWISE_WORKERS_AI_MODEL is set, but the Worker has no AI binding');
  }
  if (env.EDGEWISE_EMBEDDINGS_BASE_URL !== '' && env.EDGEWISE_EMBEDDINGS_MODEL === '') {
    faults.push('EDGEWISE_EMBEDDINGS_MODEL is missing; EDGEWISE_EMBEDDINGS_BASE_URL needs it');
  }
  if (env.EDGEWISE_WORKERS_AI_EMBEDDINGS_MODEL !== '' && !hasWorkersAi) {
    faults.push('EDGEWISE_WORKERS_AI_EMBEDDINGS_MODEL is set, but the Worker has no AI binding');
  }
  if (env.UPSTASH_REDIS_REST_URL !== '' && env.UPSTASH_REDIS_REST_TOKEN === '') {
    faults.push('UPSTASH_REDIS_REST_TOKEN is missing; UPSTASH_REDIS_REST_URL needs it');
  }
  return faults;
}

function toJwtConfig(env: ParsedBindings): JwtConfig {
  const common = {
    algorithm: env.EDGEWISE_JWT_ALGORITHM,
    issuer: env.EDGEWISE_JWT_ISSUER,
    audience: env.EDGEWISE_JWT_AUDIENCE,
  };
  return env.EDGEWISE_JWT_ALGORITHM === 'HS256'
    ? { ...common, secret: new TextEncoder().encode(env.EDGEWISE_JWT_SECRET) }
    : { ...common, jwksUrl: new URL(env.EDGEWISE_JWKS_URL) };
}

/** Where users' tokens are signed with a secret of ours, ours can be, too. */
function toTokenSecret(env: ParsedBindings): Uint8Array | undefined {
  const secret =
    env.EDGEWISE_TOKEN_SECRET || (env.EDGEWISE_JWT_ALGORITHM === 'HS256' ? env.EDGEWISE_JWT_SECRET : '');
  return secret === '' ? undefined : new TextEncoder().encode(secret);
}

function toLightConfig(env: ParsedBindings): LightConfig | undefined {
  const maxOutputTokens = env.EDGEWISE_LIGHT_MAX_OUTPUT_TOKENS;
  if (env.EDGEWISE_LIGHT_BASE_URL !== '') {
    return {
      kind: 'openai-compatible',
      baseUrl: env.EDGEWISE_LIGHT_BASE_URL.replace(/\/+$/, ''),
      apiKey: env.EDGEWISE_LIGHT_API_KEY || undefined,
      model: env.EDGEWISE_LIGHT_MODEL,
      maxOutputTokens,
    };
  }
  if (env.EDGEWISE_WORKERS_AI_MODEL !== '')
    return { kind: 'workers-ai', model: env.EDGEWISE_WORKERS_AI_MODEL, maxOutputTokens };
  return undefined;
}

function toEmbeddingsConfig(env: ParsedBindings): EmbeddingsConfig | undefined {
  if (env.EDGEWISE_EMBEDDINGS_BASE_URL !== '') {
    return {
      kind: 'openai-compatible',
      baseUrl: env.EDGEWISE_EMBEDDINGS_BASE_URL.replace(/\/+$/, ''),
      apiKey: env.EDGEWISE_EMBEDDINGS_API_KEY || undefined,
      model: env.EDGEWISE_EMBEDDINGS_MODEL,
    };
  }
  const model = env.EDGEWISE_WORKERS_AI_EMBEDDINGS_MODEL;
  return model === '' ? undefined : { kind: 'workers-ai', model };
}

function toStateKeys(value: string): StateKey[] {
  return value.split(',').map((entry) => {
    const [id = '', ...secret] = entry.trim().split(':');
    return { id, secret: secret.join(':') };
  });
}

function isStateKey({ id, secret }: StateKey): boolean {
  return /^[A-Za-z0-9_-]{1,32}$/.test(id) && secret.length >= 32;
}

function isWebAddress(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

function configError(faults: string[]): Error {
  return new Error(`The edge's configuration is wrong:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
}
