/** Builds the isolate's answer cache from the configuration: its tiers and the semantic cache. */
import type { ChatModel } from '../../shared/model/chat-model.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { EdgeBindings } from '../bindings.ts';
import { includesTenant } from '../tenants.ts';
import { type AnswerCache, createAnswerCache } from './answer-cache.ts';
import { answersOf } from './answers-object.ts';
import { createIsolateAnswers } from './isolate-answers.ts';
import { createLocationAnswers } from './location-answers.ts';
import { createOpenAIEmbed, createWorkersAIEmbed, type Embed } from './meaning/embed.ts';
import { createAgreementJudge, createModelJudge } from './meaning/judge.ts';
import { loadQuestionReader } from './meaning/load-question-reader.ts';
import { meaningOf } from './meaning/meaning-object.ts';
import { createSemanticCache, type SemanticCache } from './meaning/semantic-cache.ts';

export interface CacheOptions {
  settings: CacheSettings;
  meaning: MeaningSettings;
  bindings: Pick<EdgeBindings, 'ANSWERS' | 'MEANING' | 'AI' | 'ASSETS'>;
  /** The concrete model to which a name resolves now. @throws AppError */
  resolveModel: (context: RequestContext, name: string) => Promise<string>;
  /** A model of the core, for the judge of the semantic cache. */
  coreModel: (context: RequestContext, callId: string) => ChatModel;
  now: () => number;
  wait: (ms: number) => Promise<void>;
  newId: () => string;
}

export interface CacheSettings {
  isOn: boolean;
  /** Most bytes of the answers that an isolate holds. */
  isolateBytes: number;
  /** Pace of a replayed answer; 0: all at once. */
  charsPerSecond: number;
  policy: string;
  /** Tenants whose users share answers; `*` for all. */
  sharedTenants: readonly string[];
}

export interface MeaningSettings {
  /** Tenants that use the semantic cache; `*` for all. */
  tenants: readonly string[];
  embeddings: EmbeddingsSettings | undefined;
  judgeModel: string | undefined;
}

type EmbeddingsSettings =
  | { kind: 'openai-compatible'; baseUrl: string; apiKey: string | undefined; model: string }
  | { kind: 'workers-ai'; model: string };

/** @returns `undefined` when the cache is switched off */
export function createCache(options: CacheOptions): AnswerCache | undefined {
  const { settings, bindings, resolveModel, now, wait } = options;
  if (!settings.isOn) return undefined;
  return createAnswerCache({
    isolate: createIsolateAnswers(settings.isolateBytes, now),
    location: createLocationAnswers(() => caches.default, now),
    answersOf: (tenant, shard) => answersOf(bindings, tenant, shard),
    resolveModel,
    isShared: (tenant) => includesTenant(settings.sharedTenants, tenant),
    semanticCache: createMeaning(options),
    policy: settings.policy,
    pace: { charsPerSecond: settings.charsPerSecond, wait },
    now,
  });
}

function createMeaning({ meaning, bindings, coreModel, newId }: CacheOptions): SemanticCache {
  const judgeByAgreement = createAgreementJudge(() => loadQuestionReader(bindings.ASSETS));
  return createSemanticCache({
    isOn: (tenant) => includesTenant(meaning.tenants, tenant),
    meaningOf: (tenant) => meaningOf(bindings, tenant),
    embed: createEmbed(meaning.embeddings, bindings),
    judgeFor: ({ context }) => {
      const { judgeModel } = meaning;
      if (judgeModel === undefined) return judgeByAgreement;
      return createModelJudge(judgeModel, () => coreModel(context, newId()), newId);
    },
  });
}

function createEmbed(
  settings: EmbeddingsSettings | undefined,
  { AI }: Pick<EdgeBindings, 'AI'>,
): Embed | undefined {
  if (!settings) return undefined;
  return settings.kind === 'workers-ai'
    ? createWorkersAIEmbed(AI as unknown as Parameters<typeof createWorkersAIEmbed>[0], settings.model)
    : createOpenAIEmbed({ ...settings, fetch: (...request) => fetch(...request) });
}
