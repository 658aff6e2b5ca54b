/**
 * The semantic cache: which questions it looks up, what it finds, and what it learns from a new answer. Only for tenants
 * that have it switched on; a failure here never fails a request.
 */
import { type ChatRequest, messageText } from '../../../shared/model/chat-model.ts';
import { answerKey, type CacheQuestion } from '../answer-key.ts';
import type { RemovedAnswers } from '../answer-store.ts';
import { answerText, type CachedAnswer } from '../cached-answer.ts';
import { dependsOnNow } from '../depends-on-now.ts';
import type { Embed } from './embed.ts';
import type { Judge } from './judge.ts';
import type { Judgement, MeaningStub, SemanticQuery } from './meaning-object.ts';

export interface SemanticCacheOptions {
  isOn: (tenant: string) => boolean;
  meaningOf: (tenant: string) => MeaningStub;
  embed: Embed | undefined;
  /** Judges for one request's tenant and user. */
  judgeFor: (question: CacheQuestion) => Judge;
}

export interface SemanticMatch {
  query: SemanticQuery;
  /** Key of the answer that may be served. */
  answer?: string;
  /** The stored question whose answer may fit. */
  candidate?: { key: string; similarity: number };
}

export interface SemanticCache {
  isOn(tenant: string): boolean;
  /** @returns `undefined` for other tenants, and for questions with a context or that depend on time or place */
  find(question: CacheQuestion): Promise<SemanticMatch | undefined>;
  /** Compares the candidate's answer with the new one, or adds the question as a new entry. */
  learn(
    question: CacheQuestion,
    found: SemanticMatch,
    fresh: CachedAnswer,
    old: CachedAnswer | undefined,
  ): Promise<void>;
  /** Adds a prepared question with paraphrases by the operator. @returns the paraphrases that the rules reject */
  prepare(question: CacheQuestion, paraphrases: readonly string[]): Promise<string[]>;
  forget(tenant: string, which: RemovedAnswers): Promise<void>;
}

const CURATOR = 'operator';

export function createSemanticCache({
  isOn,
  meaningOf,
  embed,
  judgeFor,
}: SemanticCacheOptions): SemanticCache {
  async function toQuery(question: CacheQuestion): Promise<SemanticQuery | undefined> {
    const text = standaloneQuestion(question.request);
    if (text === undefined || !isOn(question.context.tenant) || dependsOnNow(text)) return undefined;
    return { family: await familyOf(question), text, vector: await embed?.(text) };
  }

  return {
    isOn,

    async find(question) {
      try {
        const query = await toQuery(question);
        if (!query) return undefined;
        const found = await meaningOf(question.context.tenant).lookUp(query);
        if (!found.ok || found.value.kind === 'none') return { query };
        const { kind, ...rest } = found.value;
        return kind === 'answer' ? { query, answer: rest.key } : { query, candidate: rest as FoundCandidate };
      } catch {
        return undefined;
      }
    },

    async learn(question, { query, candidate }, fresh, old) {
      const { tenant, user } = question.context;
      if (candidate && old) {
        const pair = { question: query.text, fresh: answerText(fresh), cached: answerText(old) };
        const wasRight = await judgeFor(question)(pair);
        if (wasRight !== undefined) await meaningOf(tenant).observe([{ ...candidate, wasRight, user }]);
        return;
      }
      // Without sharing, a user's answer must not serve others.
      if (question.scopes.length > 1) return;
      const { key, model } = question;
      await meaningOf(tenant).add({ ...query, key, model, askedBy: user, isPrepared: false });
    },

    async prepare(question, paraphrases) {
      const query = await toQuery(question);
      if (!query) return [...paraphrases];
      const { key, model, context } = question;
      const meaning = meaningOf(context.tenant);
      await meaning.add({ ...query, key, model, askedBy: CURATOR, isPrepared: true });
      const refused: string[] = [];
      const judgements: Judgement[] = [];
      for (const text of paraphrases) {
        const compared = await meaning.compare(key, text, await embed?.(text));
        if (compared.ok && compared.value !== undefined) {
          judgements.push({ key, similarity: compared.value, wasRight: true, user: CURATOR });
        } else refused.push(text);
      }
      await meaning.observe(judgements);
      return refused;
    },

    async forget(tenant, which) {
      if (isOn(tenant)) await meaningOf(tenant).remove(which);
    },
  };
}

type FoundCandidate = { key: string; similarity: number };

/** The text of a question without a conversation: one user message of plain text, with or without a system prompt. */
function standaloneQuestion({ messages }: ChatRequest): string | undefined {
  const conversation = messages.filter(({ role }) => role !== 'system' && role !== 'developer');
  const [only] = conversation;
  if (!only || conversation.length > 1 || only.role !== 'user' || only.name !== undefined) return undefined;
  return typeof only.content === 'string' ? messageText(only) : undefined;
}

/** Hash over everything except the question's text. */
function familyOf({ request, context, model, policy }: CacheQuestion): Promise<string> {
  const messages = request.messages.map((message) =>
    message.role === 'user' ? { ...message, content: '' } : message,
  );
  return answerKey({ tenant: context.tenant, model, policy, request: { ...request, messages } });
}
