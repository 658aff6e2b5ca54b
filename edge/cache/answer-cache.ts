/**
 * The cache as a wrapper of a model: it serves cached answers and calls the wrapped model otherwise. `answer` shows
 * the order of the tiers. Owns no state; when a tier cannot be reached, the model is called.
 */

import { AppError } from '../../shared/errors.ts';
import type { CacheMark, ChatEvent, ChatModel, ChatRequest } from '../../shared/model/chat-model.ts';
import { type LayerGenerator, type ReadInner, relayStream } from '../../shared/model/event-stream.ts';
import { decodeGenerationEvents } from '../../shared/protocol/generation-protocol.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { ModelChoice } from '../models/model-choice.ts';
import type { Reply } from '../reply.ts';
import { type AnswerQuestion, answerKey, type CacheQuestion, type QuestionMemo } from './answer-key.ts';
import { type AnswerEntry, EVERYBODY, type RemovedAnswers } from './answer-store.ts';
import type { AnswersStub } from './answers-object.ts';
import { bypassReason, type CacheFacts } from './cacheable.ts';
import { AnswerRecorder, type CachedAnswer, type ReplayPace, replayAnswer } from './cached-answer.ts';
import type { IsolateAnswers } from './isolate-answers.ts';
import type { LocationAnswers } from './location-answers.ts';
import type { SemanticCache, SemanticMatch } from './meaning/semantic-cache.ts';

export interface AnswerCacheOptions {
  isolate: IsolateAnswers;
  location: LocationAnswers;
  /** The tenant's objects, by the first digit of a question's key. */
  answersOf: (tenant: string, shard: string) => AnswersStub;
  /** The concrete model to which a name resolves now. @throws AppError */
  resolveModel: (context: RequestContext, name: string) => Promise<string>;
  /** Whether the users of the tenant share answers. */
  isShared: (tenant: string) => boolean;
  policy: string;
  semanticCache: SemanticCache;
  pace: ReplayPace;
  now: () => number;
}

export interface CachedTurn extends CacheFacts {
  context: RequestContext;
  choice: ModelChoice;
  /**
   * Whether the call may be shared with others who send the same question now. A session's turn needs a call of its
   * own, since it must be able to resume it.
   */
  canShare: boolean;
  /** The prompt's memo, when the question is the unchanged prompt. */
  memo?: QuestionMemo | undefined;
  /** Work that continues after the answer. */
  waitUntil: (work: Promise<unknown>) => void;
}

/** An answer from this isolate's memory, and what the response reports about the cache. */
export interface LocalAnswer {
  answer: CachedAnswer;
  mark: CacheMark;
}

/** Puts the cache in front of a model. */
export type WithCache = (model: ChatModel, call: { choice: ModelChoice; earlierRounds: number }) => ChatModel;

export interface AnswerCache {
  ofTurn(turn: Omit<CachedTurn, 'choice' | 'earlierRounds'>): WithCache;
  /** The answer to a prompt without a conversation, from this isolate's memory only. */
  findLocal(turn: Omit<CachedTurn, 'earlierRounds'>, request: ChatRequest): Promise<LocalAnswer | undefined>;
  readonly semanticCache: SemanticCache;
  /** Removes a tenant's answers from this isolate's memory and from the semantic cache. */
  forget(tenant: string, which: RemovedAnswers): Promise<void>;
  /** The key of a question, and the scopes whose answers may be served. */
  question(
    turn: Pick<CachedTurn, 'context' | 'choice' | 'control' | 'memo'>,
    request: ChatRequest,
  ): Promise<CacheQuestion>;
}

export function createAnswerCache(options: AnswerCacheOptions): AnswerCache {
  const cache: AnswerCache = {
    ofTurn: (turn) => (model, call) => ({
      name: model.name,
      stream(request, signal) {
        const cached = { ...turn, ...call };
        const reason = bypassReason(request, cached);
        return relayStream((read) =>
          reason
            ? marked(read(model.stream(request, signal)), { outcome: 'bypass', reason })
            : answer(cache, options, { model, turn: cached, request, signal, read }),
        );
      },
    }),

    async findLocal(turn, request) {
      const { isolate, pace, now } = options;
      const { tenant } = turn.context;
      if (pace.charsPerSecond > 0 || bypassReason(request, { ...turn, earlierRounds: 0 })) return undefined;
      const question = await cache.question(turn, request).catch(() => undefined);
      const entry = question && isolate.find(tenant, question.key, question.scopes);
      if (!entry || !isYoungEnough(entry, question, now())) return undefined;
      return { answer: entry.answer, mark: hit(entry, now()) };
    },

    semanticCache: options.semanticCache,

    async forget(tenant, which) {
      options.isolate.clear(tenant);
      await options.semanticCache.forget(tenant, which);
    },

    async question({ context, choice, control, memo }, sent) {
      // Others who send the same question may want a stream.
      const { isWhole, ...streamed } = sent;
      const request = isWhole ? streamed : sent;
      const model = await options.resolveModel(context, choice.model);
      const { policy } = options;
      const question: AnswerQuestion = { tenant: context.tenant, model, policy, request, memo };
      const maxAge = control.noCache ? 0 : control.maxAgeSeconds;
      return {
        key: await answerKey(question),
        scopes: options.isShared(context.tenant) ? [EVERYBODY] : [EVERYBODY, context.user],
        model,
        policy,
        maxAgeMs: maxAge === undefined ? undefined : maxAge * 1000,
        choice,
        request,
        context,
      };
    },
  };
  return cache;
}

interface CacheCall {
  model: ChatModel;
  turn: CachedTurn;
  request: ChatRequest;
  signal: AbortSignal;
  read: ReadInner;
}

/** The tiers in order: this isolate, the location, the tenant's object, the model. */
async function* answer(
  cache: AnswerCache,
  options: AnswerCacheOptions,
  { model, turn, request, signal, read }: CacheCall,
): LayerGenerator {
  const callModel = () => read(model.stream(request, signal));
  const { isolate, location, pace, now } = options;
  const { tenant } = turn.context;
  let question: CacheQuestion;
  let found: Reply<Found>;
  try {
    question = await cache.question(turn, request);
    const local = isolate.find(tenant, question.key, question.scopes);
    const entry = local ?? (await location.find(tenant, question.key, question.scopes));
    if (entry && isYoungEnough(entry, question, now())) {
      // A hit must not extend the life of a local copy, or a removal elsewhere would not reach it.
      if (!local) isolate.keep(tenant, entry);
      return yield* replayAnswer(entry.answer, hit(entry, now()), pace);
    }
    found = await lookUp(options, question, turn);
    if (!found.ok) throw AppError.fromInfo(found.error);
  } catch {
    // The model reports a fault of the request; a fault of the cache must not cost the answer.
    return yield* marked(callModel(), { outcome: 'bypass', reason: 'unavailable' });
  }

  const { value } = found;
  if (value.kind === 'entry') {
    // An answer of the semantic cache is looked up each time, since new evidence can withdraw it.
    if (value.entry.key === question.key) {
      isolate.keep(tenant, value.entry);
      turn.waitUntil(location.keep(tenant, value.entry));
    }
    const mark = hit(value.entry, now());
    const outcome = value.entry.key === question.key ? 'hit' : 'semantic';
    return yield* replayAnswer(value.entry.answer, { ...mark, outcome }, pace);
  }
  const fresh =
    value.kind === 'stream'
      ? readShared(value.response, callModel)
      : marked(callModel(), { outcome: 'miss', key: question.key });
  const recorder = new AnswerRecorder();
  for await (const events of fresh) {
    for (const event of events) recorder.push(event);
    // The reader may stop at the last event, so this must happen before it is yielded.
    const recorded = recorder.answer;
    if (recorded && value.kind === 'none') turn.waitUntil(keep(options, question, recorded));
    if (recorded && value.match) turn.waitUntil(learn(options, question, value.match, recorded));
    yield events;
  }
}

type Found =
  | { kind: 'entry'; entry: AnswerEntry }
  | { kind: 'stream'; response: Response; match?: SemanticMatch | undefined }
  | { kind: 'none'; match?: SemanticMatch | undefined };

/** Looks for the same question, then for one that means the same, then for a shared call. */
async function lookUp(
  { answersOf, semanticCache }: AnswerCacheOptions,
  question: CacheQuestion,
  { canShare }: CachedTurn,
): Promise<Reply<Found>> {
  const { tenant } = question.context;
  const answers = answersOf(tenant, shardOf(question.key));
  let match: SemanticMatch | undefined;
  if (question.maxAgeMs !== 0 && (!canShare || semanticCache.isOn(tenant))) {
    const exact = await answers.find(question);
    if (!exact.ok) return exact;
    if (exact.value) return { ok: true, value: { kind: 'entry', entry: exact.value } };
    match = await semanticCache.find(question);
    if (match?.answer !== undefined) {
      const found = await findMatched(answersOf, question, match.answer);
      if (found) return { ok: true, value: { kind: 'entry', entry: found } };
    }
  }
  if (!canShare) return { ok: true, value: { kind: 'none', match } };
  const found = await answers.findOrGenerate(question);
  return found.ok && found.value.kind === 'stream' ? { ok: true, value: { ...found.value, match } } : found;
}

async function findMatched(
  answersOf: AnswerCacheOptions['answersOf'],
  question: CacheQuestion,
  key: string,
): Promise<AnswerEntry | undefined> {
  // A stale answer is regenerated by its own question only, so this question must not use it.
  const found = await answersOf(question.context.tenant, shardOf(key)).findFresh(question, key);
  return found.ok ? found.value : undefined;
}

async function learn(
  { answersOf, semanticCache }: AnswerCacheOptions,
  question: CacheQuestion,
  match: SemanticMatch,
  fresh: CachedAnswer,
): Promise<void> {
  const old = match.candidate && (await findMatched(answersOf, question, match.candidate.key));
  await semanticCache.learn(question, match, fresh, old?.answer);
}

function shardOf(key: string): string {
  return key[0] ?? '0';
}

/** Reads a call that an object shares; when the object is lost before the first output, the call is made here. */
async function* readShared(
  { body }: Response,
  callModel: () => AsyncIterable<ChatEvent[]>,
): AsyncGenerator<ChatEvent[], void, void> {
  let hasOutput = false;
  try {
    if (!body) throw new AppError('internal_error');
    for await (const { event } of decodeGenerationEvents(body)) {
      yield [event];
      hasOutput ||= event.type !== 'model-start';
    }
  } catch {
    if (hasOutput) return yield [{ type: 'error', error: new AppError('generation_lost').toInfo() }];
    yield* callModel();
  }
}

async function keep(
  { answersOf }: AnswerCacheOptions,
  question: CacheQuestion,
  recorded: CachedAnswer,
): Promise<void> {
  await answersOf(question.context.tenant, shardOf(question.key)).keep(question, recorded);
}

function isYoungEnough(entry: AnswerEntry, { maxAgeMs }: CacheQuestion, nowMs: number): boolean {
  return maxAgeMs === undefined || (maxAgeMs > 0 && nowMs - entry.storedAtMs <= maxAgeMs);
}

function hit({ storedAtMs, key }: AnswerEntry, nowMs: number): CacheMark {
  return { outcome: 'hit', ageSeconds: Math.max(0, Math.floor((nowMs - storedAtMs) / 1000)), key };
}

async function* marked(
  batches: AsyncIterable<ChatEvent[]>,
  cache: CacheMark,
): AsyncGenerator<ChatEvent[], void, void> {
  for await (const events of batches)
    yield events.map((event) => (event.type === 'model-start' ? { ...event, cache } : event));
}
