/**
 * Answers by meaning, as the cache uses them: which question may be looked for, what is found, and what is learnt
 * from an answer that was asked all the same. For tenants that have it switched on; a failure here costs no answer.
 */
import { type ChatRequest, messageText } from '../../../shared/model/chat-model.ts';
import { type AskedQuestion, answerKey } from '../answer-key.ts';
import type { RemovedAnswers } from '../answer-store.ts';
import { answerText, type CachedAnswer } from '../cached-answer.ts';
import { dependsOnNow } from '../depends-on-now.ts';
import type { Embed } from './embed.ts';
import type { Judge } from './judge.ts';
import type { Judgement, MeaningStub, MeantQuestion } from './meaning-object.ts';

export interface SemanticCacheOptions {
  isOn: (tenant: string) => boolean;
  meaningOf: (tenant: string) => MeaningStub;
  embed: Embed | undefined;
  /** Judges for one request's tenant and user. */
  judgeFor: (question: AskedQuestion) => Judge;
}

export interface FoundMeaning {
  meant: MeantQuestion;
  /** The answer that may be given. */
  answer?: string;
  /** The one that may be right. */
  candidate?: { key: string; similarity: number };
}

export interface SemanticCache {
  isOn(tenant: string): boolean;
  /** @returns `undefined` where meaning has no part: other tenants, a question with a context, one of today's news */
  find(question: AskedQuestion): Promise<FoundMeaning | undefined>;
  /** Compares the candidate's answer with the fresh one, or takes the question in as a new one. */
  learn(
    question: AskedQuestion,
    found: FoundMeaning,
    fresh: CachedAnswer,
    old: CachedAnswer | undefined,
  ): Promise<void>;
  /** Takes a prepared question in, with wordings that the operator says mean the same. @returns those refused */
  prepare(question: AskedQuestion, paraphrases: readonly string[]): Promise<string[]>;
  forget(tenant: string, which: RemovedAnswers): Promise<void>;
}

const CURATOR = 'operator';

export function createSemanticCache({
  isOn,
  meaningOf,
  embed,
  judgeFor,
}: SemanticCacheOptions): SemanticCache {
  async function meantQuestion(question: AskedQuestion): Promise<MeantQuestion | undefined> {
    const text = loneQuestion(question.request);
    if (text === undefined || !isOn(question.context.tenant) || dependsOnNow(text)) return undefined;
    return { family: await familyOf(question), text, vector: await embed?.(text) };
  }

  return {
    isOn,

    async find(question) {
      try {
        const meant = await meantQuestion(question);
        if (!meant) return undefined;
        const found = await meaningOf(question.context.tenant).lookUp(meant);
        if (!found.ok || found.value.kind === 'nothing') return { meant };
        const { kind, ...rest } = found.value;
        return kind === 'answer' ? { meant, answer: rest.key } : { meant, candidate: rest as FoundCandidate };
      } catch {
        return undefined;
      }
    },

    async learn(question, { meant, candidate }, fresh, old) {
      const { tenant, user } = question.context;
      if (candidate && old) {
        const pair = { question: meant.text, fresh: answerText(fresh), cached: answerText(old) };
        const wasRight = await judgeFor(question)(pair);
        if (wasRight !== undefined) await meaningOf(tenant).observe([{ ...candidate, wasRight, user }]);
        return;
      }
      // Another user's answer is nobody's business unless the tenant shares.
      if (question.scopes.length > 1) return;
      const { key, model } = question;
      await meaningOf(tenant).add({ ...meant, key, model, askedBy: user, isPrepared: false });
    },

    async prepare(question, paraphrases) {
      const meant = await meantQuestion(question);
      if (!meant) return [...paraphrases];
      const { key, model, context } = question;
      const meaning = meaningOf(context.tenant);
      await meaning.add({ ...meant, key, model, askedBy: CURATOR, isPrepared: true });
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

/** The text of a question that stands alone: one user message of plain text, with or without a system prompt. */
function loneQuestion({ messages }: ChatRequest): string | undefined {
  const asked = messages.filter(({ role }) => role !== 'system' && role !== 'developer');
  const [only] = asked;
  if (!only || asked.length > 1 || only.role !== 'user' || only.name !== undefined) return undefined;
  return typeof only.content === 'string' ? messageText(only) : undefined;
}

/** Everything but the question's text. */
function familyOf({ request, context, model, policy }: AskedQuestion): Promise<string> {
  const messages = request.messages.map((message) =>
    message.role === 'user' ? { ...message, content: '' } : message,
  );
  return answerKey({ tenant: context.tenant, model, policy, request: { ...request, messages } });
}
