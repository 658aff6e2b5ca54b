/**
 * The cache on the way of a prompt: a model that answers what was answered before, and asks the model it wraps
 * otherwise. The order of the tiers can be read in {@link CachedModel}. Owns nothing; a cache that cannot be
 * reached is passed by.
 */

import { AppError } from '../../shared/errors.ts';
import type { CacheMark, ChatEvent, ChatModel, ChatRequest } from '../../shared/model/chat-model.ts';
import { type LayerGenerator, type ReadInner, relayStream } from '../../shared/model/event-stream.ts';
import { decodeGenerationEvents } from '../../shared/protocol/generation-protocol.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { ModelChoice } from '../models/model-choice.ts';
import type { Reply } from '../reply.ts';
import { type AnswerQuestion, type AskedQuestion, answerKey, type QuestionMemo } from './answer-key.ts';
import { type AnswerEntry, EVERYBODY, type RemovedAnswers } from './answer-store.ts';
import type { AnswersStub } from './answers-object.ts';
import { bypassReason, type CacheFacts } from './cacheable.ts';
import { AnswerRecorder, type CachedAnswer, type ReplayPace, replayAnswer } from './cached-answer.ts';
import type { IsolateAnswers } from './isolate-answers.ts';
import type { LocationAnswers } from './location-answers.ts';
import type { FoundMeaning, SemanticCache } from './meaning/semantic-cache.ts';

export interface AnswerCacheOptions {
  isolate: IsolateAnswers;
  location: LocationAnswers;
  /** The tenant's objects, by the first digit of a question's key. */
  answersOf: (tenant: string, shard: string) => AnswersStub;
  /** The concrete model that a name stands for now. @throws AppError */
  resolveModel: (context: RequestContext, name: string) => Promise<string>;
  /** Whether one user's answer may be given to another of the tenant. */
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
   * Whether the call may be shared with others who ask the same now. A session's turn has a call of its own,
   * which it can take up again.
   */
  canShare: boolean;
  /** Of the prompt, where the question is the prompt as it was sent. */
  memo?: QuestionMemo | undefined;
  /** Work that continues after the answer. */
  waitUntil: (work: Promise<unknown>) => void;
}

/** An answer that this isolate holds, and what its reader learns of the cache. */
export interface KnownAnswer {
  answer: CachedAnswer;
  mark: CacheMark;
}

/** Puts what was answered before in front of a model. */
export type WithCache = (
  model: ChatModel,
  asked: { choice: ModelChoice; earlierRounds: number },
) => ChatModel;

export interface AnswerCache {
  ofTurn(turn: Omit<CachedTurn, 'choice' | 'earlierRounds'>): WithCache;
  /** What this isolate holds of a prompt that stands alone; it is looked for nowhere else. */
  findNear(turn: Omit<CachedTurn, 'earlierRounds'>, request: ChatRequest): Promise<KnownAnswer | undefined>;
  readonly semanticCache: SemanticCache;
  /** Lets this isolate's copies of a tenant's answers go, and what is known of their meaning. */
  forget(tenant: string, which: RemovedAnswers): Promise<void>;
  /** What a question is called, and whose answers will do. */
  question(
    turn: Pick<CachedTurn, 'context' | 'choice' | 'control' | 'memo'>,
    request: ChatRequest,
  ): Promise<AskedQuestion>;
}

export function createAnswerCache(options: AnswerCacheOptions): AnswerCache {
  const cache: AnswerCache = {
    ofTurn: (turn) => (model, asked) => ({
      name: model.name,
      stream(request, signal) {
        const cached = { ...turn, ...asked };
        const reason = bypassReason(request, cached);
        return relayStream((read) =>
          reason
            ? marked(read(model.stream(request, signal)), { outcome: 'bypass', reason })
            : answer(cache, options, { model, turn: cached, request, signal, read }),
        );
      },
    }),

    async findNear(turn, request) {
      const { isolate, pace, now } = options;
      const { tenant } = turn.context;
      if (pace.charsPerSecond > 0 || bypassReason(request, { ...turn, earlierRounds: 0 })) return undefined;
      const question = await cache.question(turn, request).catch(() => undefined);
      const near = question && isolate.find(tenant, question.key, question.scopes);
      if (!near || !isYoungEnough(near, question, now())) return undefined;
      return { answer: near.answer, mark: hit(near, now()) };
    },

    semanticCache: options.semanticCache,

    async forget(tenant, which) {
      options.isolate.clear(tenant);
      await options.semanticCache.forget(tenant, which);
    },

    async question({ context, choice, control, memo }, asked) {
      // Others who ask the same may want it word by word.
      const { isWhole, ...plain } = asked;
      const request = isWhole ? plain : asked;
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

interface Asked {
  model: ChatModel;
  turn: CachedTurn;
  request: ChatRequest;
  signal: AbortSignal;
  read: ReadInner;
}

/** This isolate, the location, the tenant's object, and then the model. */
async function* answer(
  cache: AnswerCache,
  options: AnswerCacheOptions,
  { model, turn, request, signal, read }: Asked,
): LayerGenerator {
  const ask = () => read(model.stream(request, signal));
  const { isolate, location, pace, now } = options;
  const { tenant } = turn.context;
  let question: AskedQuestion;
  let found: Reply<Found>;
  try {
    question = await cache.question(turn, request);
    const here = isolate.find(tenant, question.key, question.scopes);
    const near = here ?? (await location.find(tenant, question.key, question.scopes));
    if (near && isYoungEnough(near, question, now())) {
      // What is here stays no longer for being asked: a removal elsewhere must be seen.
      if (!here) isolate.keep(tenant, near);
      return yield* replayAnswer(near.answer, hit(near, now()), pace);
    }
    found = await look(options, question, turn);
    if (!found.ok) throw AppError.fromInfo(found.error);
  } catch {
    // What is wrong with the request the model says; what is wrong with the cache must not cost an answer.
    return yield* marked(ask(), { outcome: 'bypass', reason: 'unavailable' });
  }

  const { value } = found;
  if (value.kind === 'entry') {
    // An answer by meaning is found anew each time: whether it may be given can change.
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
      ? shared(value.response, ask)
      : marked(ask(), { outcome: 'miss', key: question.key });
  const recorder = new AnswerRecorder();
  for await (const events of fresh) {
    for (const event of events) recorder.push(event);
    // Nothing runs here after the last event.
    const recorded = recorder.answer;
    if (recorded && value.kind === 'nothing') turn.waitUntil(keep(options, question, recorded));
    if (recorded && value.meant) turn.waitUntil(learn(options, question, value.meant, recorded));
    yield events;
  }
}

type Found =
  | { kind: 'entry'; entry: AnswerEntry }
  | { kind: 'stream'; response: Response; meant?: FoundMeaning | undefined }
  | { kind: 'nothing'; meant?: FoundMeaning | undefined };

/** The same question, then one that means the same, then a share in a call. */
async function look(
  { answersOf, semanticCache }: AnswerCacheOptions,
  question: AskedQuestion,
  { canShare }: CachedTurn,
): Promise<Reply<Found>> {
  const { tenant } = question.context;
  const answers = answersOf(tenant, shardOf(question.key));
  let meant: FoundMeaning | undefined;
  if (question.maxAgeMs !== 0 && (!canShare || semanticCache.isOn(tenant))) {
    const exact = await answers.find(question);
    if (!exact.ok) return exact;
    if (exact.value) return { ok: true, value: { kind: 'entry', entry: exact.value } };
    meant = await semanticCache.find(question);
    if (meant?.answer !== undefined) {
      const found = await findMeant(answersOf, question, meant.answer);
      if (found) return { ok: true, value: { kind: 'entry', entry: found } };
    }
  }
  if (!canShare) return { ok: true, value: { kind: 'nothing', meant } };
  const asked = await answers.ask(question);
  return asked.ok && asked.value.kind === 'stream' ? { ok: true, value: { ...asked.value, meant } } : asked;
}

async function findMeant(
  answersOf: AnswerCacheOptions['answersOf'],
  question: AskedQuestion,
  key: string,
): Promise<AnswerEntry | undefined> {
  // A stale one would be asked again under the wrong question: only its own askers renew it.
  const found = await answersOf(question.context.tenant, shardOf(key)).findFresh(question, key);
  return found.ok ? found.value : undefined;
}

async function learn(
  { answersOf, semanticCache }: AnswerCacheOptions,
  question: AskedQuestion,
  meant: FoundMeaning,
  fresh: CachedAnswer,
): Promise<void> {
  const old = meant.candidate && (await findMeant(answersOf, question, meant.candidate.key));
  await semanticCache.learn(question, meant, fresh, old?.answer);
}

function shardOf(key: string): string {
  return key[0] ?? '0';
}

/** A call that an object makes for several; should the object be lost before it said anything, it is made here. */
async function* shared(
  { body }: Response,
  again: () => AsyncIterable<ChatEvent[]>,
): AsyncGenerator<ChatEvent[], void, void> {
  let saidSomething = false;
  try {
    if (!body) throw new AppError('internal_error');
    for await (const { event } of decodeGenerationEvents(body)) {
      yield [event];
      saidSomething ||= event.type !== 'model-start';
    }
  } catch {
    if (saidSomething) return yield [{ type: 'error', error: new AppError('generation_lost').toInfo() }];
    yield* again();
  }
}

async function keep(
  { answersOf }: AnswerCacheOptions,
  question: AskedQuestion,
  recorded: CachedAnswer,
): Promise<void> {
  await answersOf(question.context.tenant, shardOf(question.key)).keep(question, recorded);
}

function isYoungEnough(entry: AnswerEntry, { maxAgeMs }: AskedQuestion, nowMs: number): boolean {
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
