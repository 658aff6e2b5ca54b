/** The only place in the core that constructs. */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { toAppError } from '../shared/errors.ts';
import type { JsonObject } from '../shared/model/chat-model.ts';
import { withCountedUsage } from '../shared/model/with-counted-usage.ts';
import { createSpanExporter } from '../shared/observe/span-exporter.ts';
import { type Archive, createArchive } from './archive/archive.ts';
import { type Conversations, createConversations } from './archive/conversations.ts';
import { createAnswerLine } from './batches/answer-line.ts';
import type { Batches } from './batches/batches.ts';
import type { Files } from './batches/files.ts';
import { openBatches } from './batches/open-batches.ts';
import { connectEmbedded, connectPostgres, createDatabase, type Database } from './db/database.ts';
import { createEmbeddings, type Embeddings } from './embeddings/embeddings.ts';
import type { CoreConfig } from './env.ts';
import { createGenerations, type Generations } from './generations/generations.ts';
import { createMemoryGenerationLog } from './generations/memory-generation-log.ts';
import { createRedisGenerationLog } from './generations/redis-generation-log.ts';
import { type ApiKeys, createApiKeys } from './keys/api-keys.ts';
import type { Documents } from './knowledge/documents.ts';
import { createPassageIndex } from './knowledge/passage-index.ts';
import { readPassages } from './knowledge/passages.ts';
import { openMemory } from './memory/open-memory.ts';
import type { Preferences } from './memory/preferences.ts';
import { discoverFromEnvironment, discoverOllama, type Environment } from './models/discover.ts';
import { type LiveRegistry, openLiveRegistry } from './models/live-registry.ts';
import { createTargetModel } from './models/target-model.ts';
import { loadTokenCounter } from './models/token-counter.ts';
import { createHedgeBudget } from './models/with-hedge.ts';
import { logGeneration, logLine } from './observe/log.ts';
import { type CoreMetrics, createMetrics } from './observe/metrics.ts';
import { tellGeneration } from './observe/spans.ts';
import { createExtractiveModel } from './providers/extractive.ts';
import type { Priority } from './quota/fair-queue.ts';
import { createMemoryQuotaStore } from './quota/memory-quota-store.ts';
import { createQuota } from './quota/quota.ts';
import { createRedisQuotaStore } from './quota/redis-quota-store.ts';
import { connectRedis } from './redis.ts';
import type { TaskDispatchOptions } from './tasks/dispatch-task.ts';
import { costOf } from './usage/cost-of.ts';
import { createFeedback, type Feedback } from './usage/feedback.ts';
import { createUsageReports, type UsageReports } from './usage/usage-report.ts';
import { createExportUser, type ExportUser } from './user-data/export-user.ts';
import { createRemoveUser, type RemoveUser } from './user-data/remove-user.ts';
import { type ApplyRetention, createRetention } from './user-data/retention.ts';

export interface CoreServices {
  config: CoreConfig;
  registry: LiveRegistry;
  generations: Generations;
  database: Database;
  keys: ApiKeys;
  embeddings: Embeddings;
  taskDispatch: TaskDispatchOptions;
  metrics: CoreMetrics;
  files: Files;
  batches: Batches;
  archive: Archive;
  conversations: Conversations;
  documents: Documents;
  preferences: Preferences;
  exportUser: ExportUser;
  removeUser: RemoveUser;
  applyRetention: ApplyRetention;
  usage: UsageReports;
  feedback: Feedback;
  /** Goes on with what a process before this one has left undone. */
  resumeBatches(): void;
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
  const redis = config.redisUrl === undefined ? undefined : await connectRedis(config.redisUrl);
  const quota = createQuota({
    store: redis ? createRedisQuotaStore({ redis }) : createMemoryQuotaStore({ now }),
    maxWaiting: config.maxWaiting,
    now,
    wait,
  });
  const registry = await openLiveRegistry({
    path: config.modelsFile,
    env,
    discovered: hasKey ? configured : await discoverOllama(fetch),
    createModel: (target, policy) =>
      createTargetModel(target, policy, {
        quota,
        maxOutputTokens: config.maxOutputTokens,
        now,
        wait,
        random: Math.random,
        newId: randomUUID,
      }),
    extractive: withCountedUsage(extractive, 'o200k_base', loadTokenCounter),
    hedge: { budget: createHedgeBudget(), wait },
    now,
    random: Math.random,
    onReload: (fault) =>
      fault
        ? logLine('error', 'models file is broken; the registry that was good stays in force', {
            'error.message': fault,
          })
        : logLine('info', 'models file read again', {}),
  });
  const taskDispatch: TaskDispatchOptions = {
    quota,
    retry: { wait, random: Math.random },
    fetch,
    now,
    newId: randomUUID,
  };
  const redisLog = redis && createRedisGenerationLog({ redis, now, wait });
  const spans =
    config.traces &&
    createSpanExporter({
      ...config.traces,
      service: 'edgewise-core',
      fetch,
      defer: (work) => void work,
      wait,
    });
  const generationLog = redisLog ?? createMemoryGenerationLog();
  const generations = createGenerations({
    log: generationLog,
    resolveModel({ tenant, user, deadlineMs }, { model: name, params, background, recall }) {
      const caller = { tenant, deadlineMs, priority: priorityOf(params, background) };
      const model = registry.current.resolve(name, caller);
      return recall ? remembered.withRecall(model, recall, { tenant, user }) : model;
    },
    maxRunning: config.maxGenerations,
    maxMs: config.maxGenerationMs,
    now,
    onEnd(end) {
      logGeneration(end);
      metrics.ended(end);
      tellGeneration(spans, end, now);
    },
  });
  const metrics = createMetrics({
    running: () => generations.running,
    waiting: () => quota.waiting,
    breakers: () =>
      registry.current
        .list()
        .flatMap(({ id, edgewise: { breaker } }) => (breaker ? [{ model: id, state: breaker }] : [])),
  });
  const database = openDatabase(config);
  const embeddings = createEmbeddings({
    ...taskDispatch,
    targetsFor: (name, caller) => registry.current.targetsFor('embeddings', name, caller),
  });
  const remembered = openMemory({
    database,
    embeddings,
    embeddingsModel: config.embeddingsModel,
    notesModel: config.notesModel,
    resolve: (model, caller) => registry.current.resolve(model, caller),
    now,
    newId: randomUUID,
    onError: (error) => logLine('warn', 'memory', { 'error.code': toAppError(error).code }),
  });
  const { preferences } = remembered;
  const batchServices = openBatches({
    database,
    embeddedDir: config.databaseUrl === undefined ? config.databaseDir : undefined,
    answer: createAnswerLine({
      resolve: (model, caller) => registry.current.resolve(model, caller),
      embeddings,
      now,
    }),
    concurrency: config.batchConcurrency,
    maxLineMs: config.maxGenerationMs,
    now,
    wait,
    newId: randomUUID,
    onError: (error) => logLine('error', 'batches cannot go on', { 'error.code': toAppError(error).code }),
  });
  return {
    config,
    registry,
    generations,
    database,
    keys: createApiKeys(database, now),
    taskDispatch,
    metrics,
    embeddings,
    files: batchServices.files,
    batches: batchServices.batches,
    resumeBatches: batchServices.resume,
    archive: createArchive({
      database,
      memory: remembered.memory,
      costOf: (model, usage) => costOf(registry.current.list(), model, usage),
    }),
    conversations: createConversations(database, remembered.search),
    documents: remembered.documents,
    preferences,
    exportUser: createExportUser(database),
    removeUser: createRemoveUser({ database, generationLog, preferences }),
    applyRetention: createRetention({ database, days: config.retentionDays, now }),
    usage: createUsageReports(database),
    feedback: createFeedback(database, now),
    now,
    async close() {
      await spans?.flush();
      await batchServices.stop();
      registry.close();
      redisLog?.close();
      redis?.disconnect();
      await database.close();
    },
  };
}

/** OpenAI's `service_tier: "flex"` says that others may go first, as a turn in the background does. */
function priorityOf({ service_tier: tier }: JsonObject, background = false): Priority {
  return background || tier === 'flex' ? 'background' : 'interactive';
}

/** Ends early, and in peace, when nobody waits any more. */
async function wait(ms: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { ...(signal && { signal }) }).catch(() => undefined);
}

/** The embedded one brings its own tables; those of a server are the operator's to change (`npm run migrate`). */
function openDatabase({ databaseUrl, databaseDir }: CoreConfig): Database {
  return databaseUrl === undefined
    ? createDatabase(() => connectEmbedded(databaseDir), true)
    : createDatabase(() => connectPostgres(databaseUrl), false);
}
