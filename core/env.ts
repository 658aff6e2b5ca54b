/** The core's environment, parsed once at start. Every missing or wrong key is named at once. */
import { join } from 'node:path';
import * as v from 'valibot';
import { importServiceKey } from '../shared/protocol/service-token.ts';

export interface CoreConfig {
  host: string;
  port: number;
  serviceKey: Uint8Array;
  /** Still accepted while the secret is being changed. */
  previousServiceKey: Uint8Array | undefined;
  modelsFile: string;
  knowledgeDir: string;
  /** `postgres://...`; without it the embedded database keeps its files in `databaseDir`, or none without that. */
  databaseUrl: string | undefined;
  databaseDir: string | undefined;
  /** Whether the database is opened before the first call comes, which takes the embedded one some seconds. */
  opensDatabase: boolean;
  /** `redis://...`, where several core instances share their generations and quotas. */
  redisUrl: string | undefined;
  /** Who holds it may read the metrics; without it nobody may. */
  metricsToken: string | undefined;
  /** Where spans of traces go, by OTLP over HTTP; nowhere without it. */
  traces: { url: string; authorization: string | undefined } | undefined;
  /** How long a shutdown waits for running generations, in milliseconds. */
  graceMs: number;
  /** A comment goes out after this long without an event. */
  heartbeatMs: number;
  maxGenerationMs: number;
  /** Most generations that run at once. */
  maxGenerations: number;
  /** Most calls that wait for their turn at one target. */
  maxWaiting: number;
  /** Lines of batches that this instance answers at once; 0: none, others do. */
  batchConcurrency: number;
  /** Most tokens of an answer. */
  maxOutputTokens: number;
  /** The model whose vectors what is remembered is found by; the built-in ones without it. */
  embeddingsModel: string | undefined;
  /** The model that writes the notes of long conversations; signs in the text choose what is kept without it. */
  notesModel: string | undefined;
  /** How many days the archive is kept, by tenant; `*` for all that are not named. */
  retentionDays: ReadonlyMap<string, number>;
}

const root = join(import.meta.dirname, '..');

const integer = (fallback: number, min: number, max: number) =>
  v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d+$/, 'must be a whole number'),
      v.transform(Number),
      v.minValue(min, `must be at least ${min}`),
      v.maxValue(max, `must be at most ${max}`),
    ),
    String(fallback),
  );

const addressOf = (protocol: RegExp, message: string) =>
  v.pipe(
    v.optional(v.string(), ''),
    v.check(
      (value) => value === '' || (URL.canParse(value) && protocol.test(new URL(value).protocol)),
      message,
    ),
  );

export const coreEnvironmentSchema = v.object({
  CORE_HOST: v.optional(v.string(), '127.0.0.1'),
  CORE_PORT: integer(8788, 0, 65_535),
  EDGEWISE_SERVICE_SECRET: v.pipe(
    v.optional(v.string(), ''),
    v.minLength(32, 'must have at least 32 characters'),
  ),
  EDGEWISE_SERVICE_SECRET_PREVIOUS: v.pipe(
    v.optional(v.string(), ''),
    v.check((value) => value === '' || value.length >= 32, 'must have at least 32 characters'),
  ),
  EDGEWISE_MODELS_FILE: v.optional(v.string(), join(root, 'infra/config/models.toml')),
  EDGEWISE_KNOWLEDGE_DIR: v.optional(v.string(), join(root, 'infra/config/knowledge')),
  DATABASE_URL: addressOf(/^postgres(?:ql)?:$/, 'must be a postgres:// address'),
  EDGEWISE_DATABASE_DIR: v.optional(v.string(), join(root, '.data/postgres')),
  EDGEWISE_OPEN_DATABASE: v.optional(v.picklist(['on', 'off'], 'must be on or off'), 'off'),
  EDGEWISE_REDIS_URL: addressOf(/^rediss?:$/, 'must be a redis:// or rediss:// address'),
  EDGEWISE_METRICS_TOKEN: v.pipe(
    v.optional(v.string(), ''),
    v.check((value) => value === '' || value.length >= 16, 'must have at least 16 characters'),
  ),
  EDGEWISE_OTLP_URL: addressOf(/^https?:$/, 'must be an http or https address'),
  EDGEWISE_OTLP_AUTHORIZATION: v.optional(v.string(), ''),
  EDGEWISE_GRACE_MS: integer(10_000, 0, 3_600_000),
  EDGEWISE_HEARTBEAT_MS: integer(15_000, 10, 600_000),
  EDGEWISE_MAX_GENERATION_MS: integer(600_000, 1000, 86_400_000),
  EDGEWISE_MAX_GENERATIONS: integer(2000, 1, 1_000_000),
  EDGEWISE_MAX_WAITING: integer(1000, 1, 1_000_000),
  EDGEWISE_BATCH_CONCURRENCY: integer(16, 0, 10_000),
  EDGEWISE_MAX_OUTPUT_TOKENS: integer(32_768, 1, 10_000_000),
  EDGEWISE_MEMORY_EMBEDDINGS: v.optional(v.string(), ''),
  EDGEWISE_NOTES_MODEL: v.optional(v.string(), ''),
  EDGEWISE_RETENTION_DAYS: v.pipe(
    v.optional(v.string(), ''),
    v.regex(/^(?:[^=,\s]+=[1-9]\d{0,4}(?:,[^=,\s]+=[1-9]\d{0,4})*)?$/, 'must be a list like "acme=30,*=365"'),
  ),
});

/** @throws Error that lists every variable at fault, one a line. */
export function parseCoreEnv(env: Readonly<Record<string, string | undefined>>): CoreConfig {
  const parsed = v.safeParse(coreEnvironmentSchema, env);
  if (!parsed.success) {
    const faults = parsed.issues.map((issue) => `  ${v.getDotPath(issue)} ${issue.message}`);
    throw new Error(`The core's configuration is wrong:\n${faults.join('\n')}`);
  }
  const values = parsed.output;
  return {
    host: values.CORE_HOST,
    port: values.CORE_PORT,
    serviceKey: importServiceKey(values.EDGEWISE_SERVICE_SECRET),
    previousServiceKey: values.EDGEWISE_SERVICE_SECRET_PREVIOUS
      ? importServiceKey(values.EDGEWISE_SERVICE_SECRET_PREVIOUS)
      : undefined,
    modelsFile: values.EDGEWISE_MODELS_FILE,
    knowledgeDir: values.EDGEWISE_KNOWLEDGE_DIR,
    databaseUrl: values.DATABASE_URL || undefined,
    databaseDir: values.EDGEWISE_DATABASE_DIR,
    opensDatabase: values.EDGEWISE_OPEN_DATABASE === 'on',
    redisUrl: values.EDGEWISE_REDIS_URL || undefined,
    metricsToken: values.EDGEWISE_METRICS_TOKEN || undefined,
    traces: values.EDGEWISE_OTLP_URL
      ? {
          url: values.EDGEWISE_OTLP_URL.replace(/\/+$/, ''),
          authorization: values.EDGEWISE_OTLP_AUTHORIZATION || undefined,
        }
      : undefined,
    graceMs: values.EDGEWISE_GRACE_MS,
    heartbeatMs: values.EDGEWISE_HEARTBEAT_MS,
    maxGenerationMs: values.EDGEWISE_MAX_GENERATION_MS,
    maxGenerations: values.EDGEWISE_MAX_GENERATIONS,
    maxWaiting: values.EDGEWISE_MAX_WAITING,
    batchConcurrency: values.EDGEWISE_BATCH_CONCURRENCY,
    maxOutputTokens: values.EDGEWISE_MAX_OUTPUT_TOKENS,
    embeddingsModel: values.EDGEWISE_MEMORY_EMBEDDINGS || undefined,
    notesModel: values.EDGEWISE_NOTES_MODEL || undefined,
    retentionDays: parseDays(values.EDGEWISE_RETENTION_DAYS),
  };
}

function parseDays(list: string): ReadonlyMap<string, number> {
  const pairs = list.split(',').filter((pair) => pair !== '');
  return new Map(pairs.map((pair) => [pair.slice(0, pair.lastIndexOf('=')), Number(pair.split('=').at(-1))]));
}
