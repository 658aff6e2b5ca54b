/** The operator's routes for a tenant's cached answers: removes them, and prepares frequent ones. */
import * as v from 'valibot';
import { AppError } from '../../shared/errors.ts';
import type { ChatMessage } from '../../shared/model/chat-model.ts';
import { parseChatCompletionRequest } from '../../shared/wire/chat-schema.ts';
import { parseInput } from '../../shared/wire/parse-input.ts';
import type { AnswerCache } from '../cache/answer-cache.ts';
import type { RemovedAnswers } from '../cache/answer-store.ts';
import { ANSWER_SHARDS, answersOf } from '../cache/answers-object.ts';
import { bypassReason } from '../cache/cacheable.ts';
import { dependsOnNow } from '../cache/depends-on-now.ts';
import { chooseModel } from '../chat/choose-model.ts';
import type { AnswerPrompt } from '../chat/prompt-contract.ts';
import type { EdgeContext } from './edge-hono.ts';
import { readJson } from './json-body.ts';

export const prepareSchema = v.looseObject({
  question: v.pipe(v.string(), v.trim(), v.minLength(1, 'must not be empty')),
  /** The system prompt that the app sends with the question. */
  system: v.optional(v.string()),
  /** Other wordings with the same meaning: evidence for the semantic cache, when it is switched on. */
  paraphrases: v.optional(v.pipe(v.array(v.string()), v.maxLength(200, 'must hold at most 200')), []),
  ttl_seconds: v.optional(
    v.pipe(
      v.number(),
      v.integer('must be an integer'),
      v.minValue(60, 'must be at least 60'),
      v.maxValue(31_536_000, 'must be at most 31536000'),
    ),
  ),
});

const USUAL_TTL_S = 86_400;
const control = { noStore: false, noCache: true, maxAgeSeconds: undefined };

export interface CacheRouteOptions {
  /** `undefined` when the cache is switched off. */
  cache: Pick<AnswerCache, 'question' | 'forget' | 'semanticCache'> | undefined;
  prompts: Pick<AnswerPrompt, 'filterPrompt'>;
  lightModel: string | undefined;
  /** Unix time in milliseconds. */
  now: () => number;
}

export function cacheRoute({ cache, prompts, lightModel, now }: CacheRouteOptions) {
  return {
    /** Removes the answers of one question (`key`), of one model, or all. Copies in other isolates expire within a minute. */
    async remove(c: EdgeContext): Promise<Response> {
      const { key, model } = c.req.query();
      if (key !== undefined && !/^[0-9a-f]{64}$/.test(key)) {
        const message = "Invalid value for 'key': expected what 'x-edgewise-cache-key' said.";
        throw new AppError('invalid_value', { param: 'key', message });
      }
      return c.json({ object: 'cache.removed', removed: await removeAnswers(c, cache, { key, model }) });
    },

    /** Generates the answer to one question, and keeps it for every user of the tenant. */
    async prepare(c: EdgeContext): Promise<Response> {
      const body = await readJson(c);
      const { question, system, paraphrases, ttl_seconds: ttl, ...rest } = parseInput(prepareSchema, body);
      const messages: ChatMessage[] = [{ role: 'user', content: question }];
      if (system !== undefined) messages.unshift({ role: 'system', content: system });
      const { request } = parseChatCompletionRequest({ ...rest, messages, stream: false });

      if (!cache) throw new AppError('unsupported_value', { message: 'The cache is switched off here.' });
      const reason = bypassReason(request, { control, earlierRounds: 0, isAgain: false });
      if (reason) {
        throw new AppError('unsupported_value', { message: `Such an answer is never kept: ${reason}.` });
      }
      const on = dependsOnNow(question);
      if (on && ttl === undefined) {
        const message = `The answer seems to depend on ${on}. Say how long it holds with 'ttl_seconds'.`;
        throw new AppError('missing_required_parameter', { param: 'ttl_seconds', message });
      }
      const context = c.get('request');
      const filtered = await prompts.filterPrompt(request, context, c.req.raw);
      const choice = chooseModel(filtered, { lightModel, earlierRounds: 0 });
      const prepared = await cache.question(
        { context, choice, control },
        { ...filtered, model: choice.model },
      );
      const answers = answersOf(c.env, context.tenant, prepared.key[0] ?? '');
      const reply = await answers.prepare(prepared, (ttl ?? USUAL_TTL_S) * 1000);
      if (!reply.ok) throw AppError.fromInfo(reply.error);
      const { answer, freshUntilMs } = reply.value;
      const refused = await cache.semanticCache.prepare(prepared, paraphrases);
      return c.json({
        object: 'cache.prepared',
        key: prepared.key,
        model: answer.model,
        usage: answer.usage,
        paraphrases_refused: refused,
        prepared_at: Math.floor(now() / 1000),
        expires_at: Math.floor(freshUntilMs / 1000),
      });
    },
  };
}

/** Removes this isolate's copies of a tenant's answers. */
export type CacheRemoval = Pick<AnswerCache, 'forget'>;

/** Removes answers of the caller's tenant. @returns how many were removed @throws AppError `store_unavailable` */
export async function removeAnswers(
  c: EdgeContext,
  cache: CacheRemoval | undefined,
  which: RemovedAnswers,
): Promise<number> {
  const { tenant } = c.get('request');
  if (!cache) return 0;
  await cache.forget(tenant, which);
  const shards = which.key === undefined ? ANSWER_SHARDS : [which.key[0] ?? ''];
  const replies = await Promise.all(
    shards.map((shard) => answersOf(c.env, tenant, shard).remove(tenant, which)),
  );
  let removed = 0;
  for (const reply of replies) {
    if (!reply.ok) throw AppError.fromInfo(reply.error);
    removed += reply.value;
  }
  return removed;
}
