/** The registry with all that its models need, put together. */
import type { ChatModel } from '../../shared/model/chat-model.ts';
import { withCountedUsage } from '../../shared/model/with-counted-usage.ts';
import { logLine } from '../observe/log.ts';
import { discoverFromEnvironment, discoverOllama, type Environment } from './discover.ts';
import { type LiveRegistry, openLiveRegistry } from './live-registry.ts';
import { createTargetModel, type TargetModelOptions } from './target-model.ts';
import { loadTokenCounter } from './token-counter.ts';
import { createHedgeBudget } from './with-hedge.ts';

export interface ModelsOptions extends TargetModelOptions {
  modelsFile: string;
  env: Environment;
  /** The last resort. */
  extractive: ChatModel;
  fetch: typeof fetch;
}

/** @throws ModelsFileError when the models file is broken */
export async function openModels(options: ModelsOptions): Promise<LiveRegistry> {
  const { modelsFile, env, extractive, fetch, ...targetOptions } = options;
  const { now, random, wait } = targetOptions;
  const configured = discoverFromEnvironment(env);
  const hasKey = Boolean(env.OPENAI_API_KEY) || configured.length > 0;
  return openLiveRegistry({
    path: modelsFile,
    env,
    discovered: hasKey ? configured : await discoverOllama(fetch),
    createModel: (target, policy) => createTargetModel(target, policy, targetOptions),
    extractive: withCountedUsage(extractive, {
      ...{ contextLength: Number.POSITIVE_INFINITY, maxOutputTokens: options.maxOutputTokens },
      encoding: 'o200k_base',
      loadCounter: loadTokenCounter,
      onRejected: options.onUsageRejected,
    }),
    hedge: { budget: createHedgeBudget(), wait },
    now,
    random,
    onReload(fault) {
      if (fault === undefined) return logLine('info', 'models file was read again', {});
      const fields = { 'error.message': fault };
      logLine('error', 'models file is broken; the last good registry stays in use', fields);
    },
  });
}
