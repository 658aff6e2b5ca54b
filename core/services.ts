/** The only place in the core that constructs. */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { RejectedCount } from '../shared/model/usage-check.ts';
import { type Archive, createArchive } from './archive/archive.ts';
import { type Conversations, createConversations } from './archive/conversations.ts';
import { createAnswerLine } from './batches/answer-line.ts';
import { type BatchServices, openBatches } from './batches/open-batches.ts';
import { type Database, openDatabase } from './db/database.ts';
import { createEmbeddings, type Embeddings } from './embeddings/embeddings.ts';
import type { CoreConfig } from './env.ts';
import { createGenerations, type Generations } from './generations/generations.ts';
import { createMemoryGenerationLog } from './generations/memory-generation-log.ts';
import { createRedisGenerationLog } from './generations/redis-generation-log.ts';
import { type ApiKeys, createApiKeys } from './keys/api-keys.ts';
import { type MemoryServices, openMemory } from './memory/open-memory.ts';
import { type Caller, toCaller } from './models/caller.ts';
import { breakersOf } from './models/describe-models.ts';
import type { Environment } from './models/discover.ts';
import type { LiveRegistry } from './models/live-registry.ts';
import { openModels } from './models/open-models.ts';
import { errorLogger, logDamage } from './observe/log.ts';
import type { CoreMetrics } from './observe/metrics.ts';
import { openObservation } from './observe/open-observation.ts';
import { createExtractiveModel } from './providers/extractive.ts';
import { openQuota } from './quota/open-quota.ts';
import { connectRedis } from './redis.ts';
import type { TaskDispatchOptions } from './tasks/dispatch-task.ts';
import { createPassageIndex } from './text/passage-index.ts';
import { readPassages } from './text/passages.ts';
import { costOf } from './usage/cost-of.ts';
import { createFeedback, type Feedback } from './usage/feedback.ts';
import { createUsageReports, type UsageReports } from './usage/usage-report.ts';
import { openUserData, type UserData } from './user-data/open-user-data.ts';

export interface CoreServices
  extends UserData,
    Pick<BatchServices, 'files' | 'batches' | 'resumeBatches'>,
    Pick<MemoryServices, 'documents' | 'preferences'> {
  config: CoreConfig;
  registry: LiveRegistry;
  generations: Generations;
  database: Database;
  keys: ApiKeys;
  embeddings: Embeddings;
  taskDispatch: TaskDispatchOptions;
  metrics: CoreMetrics;
  archive: Archive;
  conversations: Conversations;
  usage: UsageReports;
  feedback: Feedback;
  /** None where Redis is not configured. */
  pingRedis: (() => Promise<string>) | undefined;
  now: () => number;
  /** Ends the connections; what still runs is cut. */
  close(): Promise<void>;
}

/** @throws ModelsFileError when the models file is broken */
// long: it constructs, line after line, and decides nothing
export async function createCoreServices(config: CoreConfig, env: Environment): Promise<CoreServices> {
  const now = () => Date.now();
  const onUsageRejected = (count: RejectedCount) => observation.metrics.usageRejected(count);
  const platform = { now, wait, random: Math.random, fetch, newId: randomUUID, onUsageRejected };
  const redis = config.redisUrl === undefined ? undefined : await connectRedis(config.redisUrl);
  const quota = openQuota({ redis, maxWaiting: config.maxWaiting, now, wait });
  const extractive = createExtractiveModel(createPassageIndex(await readPassages(config.knowledgeDir)));
  const registry = await openModels({ ...config, ...platform, env, quota, extractive });
  const resolve = (model: string, caller: Caller) => registry.current.resolve(model, caller);
  const taskDispatch: TaskDispatchOptions = { ...platform, quota, retry: platform };
  const redisLog = redis && createRedisGenerationLog({ ...platform, redis });
  const generationLog = redisLog ?? createMemoryGenerationLog();
  const database = await openDatabase({ ...config, onDamaged: logDamage });
  const embeddings = createEmbeddings({
    ...taskDispatch,
    targetsFor: (name, caller) => registry.current.targetsFor('embeddings', name, caller),
  });
  const { search, memory, documents, preferences, withRecall } = openMemory({
    ...config,
    ...platform,
    database,
    embeddings,
    resolve,
    onError: errorLogger('warn', 'memory'),
  });
  const observation = openObservation({
    ...platform,
    traces: config.traces,
    sources: {
      running: () => generations.running,
      waiting: () => quota.waiting,
      breakers: () => breakersOf(registry.current.list()),
    },
  });
  const generations: Generations = createGenerations({
    log: generationLog,
    resolveModel(context, request) {
      const model = resolve(request.model, toCaller(context, request));
      return request.recall ? withRecall(model, request.recall, context) : model;
    },
    maxRunning: config.maxGenerations,
    maxMs: config.maxGenerationMs,
    ...{ now, onEnd: observation.generationEnded },
  });
  const { stopBatches, ...batchServices } = openBatches({
    ...platform,
    database,
    embeddedDir: config.databaseUrl === undefined ? config.databaseDir : undefined,
    answer: createAnswerLine({ resolve, embeddings, now }),
    concurrency: config.batchConcurrency,
    maxLineMs: config.maxGenerationMs,
    onError: errorLogger('error', 'batches cannot go on'),
  });
  return {
    config,
    registry,
    generations,
    database,
    keys: createApiKeys(database, now),
    ...{ taskDispatch, embeddings, metrics: observation.metrics },
    ...batchServices,
    archive: createArchive({
      database,
      memory,
      costOf: (...call) => costOf(registry.current.list(), ...call),
    }),
    conversations: createConversations(database, search),
    documents,
    preferences,
    ...openUserData({ database, generationLog, preferences, days: config.retentionDays, now }),
    usage: createUsageReports(database),
    feedback: createFeedback(database, now),
    pingRedis: redis && (async () => ((await redis.ping()) === 'PONG' ? 'ok' : 'unavailable')),
    now,
    async close() {
      await observation.flush();
      await stopBatches();
      registry.close();
      redisLog?.close();
      redis?.disconnect();
      await database.close();
    },
  };
}

/** Resolves after that time, and at once when the signal is aborted. */
async function wait(ms: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { ...(signal && { signal }) }).catch(() => undefined);
}
