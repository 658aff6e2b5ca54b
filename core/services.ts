/** The only place in the core that constructs. */
import { setTimeout } from 'node:timers/promises';
import type { ChatModel } from '../shared/chat-model.ts';
import { withCountedUsage } from '../shared/with-counted-usage.ts';
import { withOutputLimit } from '../shared/with-output-limit.ts';
import { withTimeLimits } from '../shared/with-time-limits.ts';
import { connectEmbedded, connectPostgres, createDatabase, type Database } from './db/database.ts';
import type { CoreConfig } from './env.ts';
import { createGenerations, type Generations } from './generations/generations.ts';
import { createMemoryGenerationLog } from './generations/memory-generation-log.ts';
import { createRedisGenerationLog } from './generations/redis-generation-log.ts';
import { type ApiKeys, createApiKeys } from './keys/api-keys.ts';
import { createPassageIndex } from './knowledge/passage-index.ts';
import { readPassages } from './knowledge/passages.ts';
import { discoverFromEnvironment, discoverOllama, type Environment } from './models/discover.ts';
import { type LiveRegistry, openLiveRegistry } from './models/live-registry.ts';
import type { Target } from './models/registry.ts';
import { loadTokenCounter } from './models/token-counter.ts';
import { logGeneration, logLine } from './observe/log.ts';
import { createExtractiveModel } from './providers/extractive.ts';
import { createOpenAICompatibleModel } from './providers/openai-compatible.ts';
import { connectRedis } from './redis.ts';

export interface CoreServices {
  config: CoreConfig;
  registry: LiveRegistry;
  generations: Generations;
  database: Database;
  keys: ApiKeys;
  now: () => number;
  /** Ends the connections; what still runs is cut. */
  close(): Promise<void>;
}

/** @throws ModelsFileError when the models file is broken */
export async function createCoreServices(config: CoreConfig, env: Environment): Promise<CoreServices> {
  const now = () => Date.now();
  const extractive = createExtractiveModel(createPassageIndex(await readPassages(config.knowledgeDir)));
  const configured = discoverFromEnvironment(env);
  const hasKey = Boolean(env.OPENAI_API_KEY) || configured.length > 0;
  const registry = await openLiveRegistry({
    path: config.modelsFile,
    env,
    discovered: hasKey ? configured : await discoverOllama(fetch),
    createModel: (target) => createModel(target, config.maxOutputTokens),
    extractive: withCountedUsage(extractive, 'o200k_base', loadTokenCounter),
    onReload: (fault) =>
      fault
        ? logLine('error', 'models file is broken; the registry that was good stays in force', { fault })
        : logLine('info', 'models file read again', {}),
  });
  const redis = config.redisUrl === undefined ? undefined : await connectRedis(config.redisUrl);
  const redisLog = redis && createRedisGenerationLog({ redis, now, wait: (ms) => setTimeout(ms) });
  const generations = createGenerations({
    log: redisLog ?? createMemoryGenerationLog(),
    resolveModel: (name) => registry.current.resolve(name),
    maxMs: config.maxGenerationMs,
    now,
    onEnd: logGeneration,
  });
  const database = openDatabase(config);
  return {
    config,
    registry,
    generations,
    database,
    keys: createApiKeys(database, now),
    now,
    async close() {
      registry.close();
      redisLog?.close();
      redis?.disconnect();
      await database.close();
    },
  };
}

/** The embedded one brings its own tables; those of a server are the operator's to change (`npm run migrate`). */
function openDatabase({ databaseUrl, databaseDir }: CoreConfig): Database {
  return databaseUrl === undefined
    ? createDatabase(() => connectEmbedded(databaseDir), true)
    : createDatabase(() => connectPostgres(databaseUrl), false);
}

/** From the inside out: the call, its time limits, its length, its usage. */
function createModel(target: Target, maxOutputTokens: number): ChatModel {
  const { name, provider, upstream, upstreamModel, encoding, timeLimits } = target;
  const model = createOpenAICompatibleModel({ name, provider, upstream, upstreamModel });
  const limited = withOutputLimit(
    withTimeLimits(model, timeLimits),
    maxOutputTokens,
    encoding,
    loadTokenCounter,
  );
  return withCountedUsage(limited, encoding, loadTokenCounter);
}
