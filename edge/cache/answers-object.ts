/**
 * The cached answers of one tenant; each object holds a sixteenth of the questions. Finds an answer, shares one call
 * among simultaneous readers of the same question, and keeps complete answers. Owns the running calls; the store owns the
 * answers.
 */
import { DurableObject } from 'cloudflare:workers';
import { AppError, toAppError } from '../../shared/errors.ts';
import type { ChatEvent, ChatModel, ChatStream } from '../../shared/model/chat-model.ts';
import { encodeGenerationEvent } from '../../shared/protocol/generation-protocol.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import { startDeadline } from '../../shared/stream/deadline.ts';
import { setAlarmNoLaterThan } from '../alarm.ts';
import type { EdgeBindings } from '../bindings.ts';
import type { ModelChoice } from '../models/model-choice.ts';
import { logError } from '../observe/log.ts';
import { type Reply, reply } from '../reply.ts';
import type { CacheQuestion } from './answer-key.ts';
import { type AnswerEntry, type AnswerStore, EVERYBODY, type RemovedAnswers } from './answer-store.ts';
import { AnswerRecorder, type CachedAnswer } from './cached-answer.ts';
import { createPreparedList, type PreparedList } from './prepared-list.ts';
import { SharedGeneration } from './shared-generation.ts';
import { createSqliteAnswerStore, type SqliteAnswerStore } from './sqlite-answer-store.ts';
import { createUpstashAnswerStore } from './upstash-answer-store.ts';

export type FoundAnswer =
  | { kind: 'entry'; entry: AnswerEntry }
  /** The events as `shared/protocol/generation-protocol.ts` encodes them; cancelling the body does not end the call for others. */
  | { kind: 'stream'; response: Response };

export interface PreparedAnswer {
  freshUntilMs: number;
  answer: CachedAnswer;
}

/** A prepared answer is regenerated when this share of its lifetime is left. */
const REFRESH_SHARE = 0.2;
/** Longest wait before a failed regeneration is tried again. */
const REFRESH_RETRY_MS = 60_000;
/** Prepared answers that one alarm regenerates. */
const REFRESH_AT_ONCE = 8;
const MAX_SHARD_BYTES = 32 * 1024 * 1024;

/** The object's dependencies beside its storage. */
export interface AnswersParts {
  /** The model that answers one call, within the caller's limits. */
  openModel: (context: RequestContext, choice: ModelChoice) => ChatModel;
  settings: AnswersSettings;
  now: () => number;
  newId: () => string;
}

export interface AnswersSettings {
  /** Where answers are kept; in the object's own storage without it. */
  redis: { url: string; token: string } | undefined;
  turnTimeoutMs: number;
  /** How long an answer is fresh, and how long after that it is served while it is regenerated. */
  ttlMs: number;
  staleMs: number;
}

/** `edge/worker.ts` provides the parts. */
export abstract class AnswersObject extends DurableObject<EdgeBindings> {
  readonly #parts: AnswersParts;
  readonly #store: AnswerStore;
  /** The store, when it is this object's own. */
  readonly #ownStore?: SqliteAnswerStore;
  readonly #prepared: PreparedList;
  /** By question and scope. */
  readonly #running = new Map<string, SharedGeneration>();
  readonly #lookups = new Map<string, Promise<AnswerEntry | undefined>>();

  constructor(state: DurableObjectState, bindings: EdgeBindings, parts: AnswersParts) {
    super(state, bindings);
    this.#parts = parts;
    this.#prepared = createPreparedList(state.storage);
    const { now, settings } = parts;
    if (settings.redis) this.#store = createUpstashAnswerStore({ ...settings.redis, now });
    else {
      const options = { storage: state.storage, maxBytes: MAX_SHARD_BYTES, now };
      this.#store = this.#ownStore = createSqliteAnswerStore(options);
    }
  }

  /** The answer if there is one, else the stream of the call that generates it, shared with other readers. */
  async findOrGenerate(question: CacheQuestion): Promise<Reply<FoundAnswer>> {
    return reply(async () => {
      if (question.maxAgeMs === 0) return this.#share(this.#generate(question), question, 'miss');
      const entry = await this.#find(question);
      if (entry) return { kind: 'entry', entry };
      const running = this.#running.get(nameOf(question));
      return running
        ? this.#share(running, question, 'coalesced')
        : this.#share(this.#generate(question), question, 'miss');
    });
  }

  /** The answer if there is one. Calls no model. */
  async find(question: CacheQuestion): Promise<Reply<AnswerEntry | undefined>> {
    return reply(() => this.#find(question));
  }

  /** The fresh answer to another question, within the scopes of this one. */
  async findFresh({ scopes, context }: CacheQuestion, key: string): Promise<Reply<AnswerEntry | undefined>> {
    return reply(async () => {
      const entry = await this.#store.find(context.tenant, key, scopes);
      return entry && entry.freshUntilMs > this.#parts.now() ? entry : undefined;
    });
  }

  /** Keeps an answer that was generated elsewhere. */
  async keep(question: CacheQuestion, answer: CachedAnswer): Promise<Reply<void>> {
    return reply(() => this.#keep(question, answer));
  }

  /** Generates an answer for every user of the tenant, and keeps it for `ttlMs`. */
  async prepare(question: CacheQuestion, ttlMs: number): Promise<Reply<PreparedAnswer>> {
    return reply(async () => {
      const recorder = new AnswerRecorder();
      let failure: AppError | undefined;
      const deadline = startDeadline(this.#parts.settings.turnTimeoutMs);
      for await (const event of this.#open(question, deadline.signal)) {
        recorder.push(event);
        if (event.type === 'error') failure = AppError.fromInfo(event.error);
      }
      deadline.clear();
      if (failure) throw failure;
      const { answer } = recorder;
      if (answer?.model !== question.model) throw new AppError('answer_not_kept');
      const freshUntilMs = this.#parts.now() + ttlMs;
      const entry = { ...this.#entry(question, answer), scope: EVERYBODY, isPrepared: true };
      await this.#store.keep(question.context.tenant, { ...entry, freshUntilMs, staleUntilMs: freshUntilMs });
      this.#prepared.put({ question, ttlMs, dueAtMs: freshUntilMs - ttlMs * REFRESH_SHARE });
      await this.#scheduleAlarm();
      return { freshUntilMs, answer };
    });
  }

  async remove(tenant: string, which: RemovedAnswers): Promise<Reply<number>> {
    return reply(() => {
      // Prepared questions belong to the operator, so the removal of a user keeps them.
      if (which.user === undefined) this.#prepared.remove(which);
      return this.#store.remove(tenant, which);
    });
  }

  override async alarm(): Promise<void> {
    this.#ownStore?.expire();
    const { now, newId, settings } = this.#parts;
    for (const { question, ttlMs, dueAtMs } of this.#prepared.due(now(), REFRESH_AT_ONCE)) {
      const deadlineMs = now() + settings.turnTimeoutMs;
      const context = { ...question.context, requestId: newId(), deadlineMs };
      const outcome = await this.prepare({ ...question, context }, ttlMs);
      if (outcome.ok) continue;
      // The old answer is served until it expires.
      this.#log(context, AppError.fromInfo(outcome.error));
      const retryMs = Math.min(REFRESH_RETRY_MS, ttlMs * REFRESH_SHARE);
      this.#prepared.put({ question, ttlMs, dueAtMs: Math.max(dueAtMs, now() + retryMs) });
    }
    await this.#scheduleAlarm();
  }

  async #find({ key, scopes, maxAgeMs, ...question }: CacheQuestion): Promise<AnswerEntry | undefined> {
    const { tenant } = question.context;
    const name = JSON.stringify([key, scopes]);
    const lookup = this.#lookups.get(name) ?? this.#store.find(tenant, key, scopes);
    this.#lookups.set(name, lookup);
    const entry = await lookup.finally(() => this.#lookups.delete(name));
    const { now } = this.#parts;
    if (!entry || (maxAgeMs !== undefined && now() - entry.storedAtMs > maxAgeMs)) return undefined;
    if (entry.freshUntilMs <= now()) this.#revalidate({ key, scopes, maxAgeMs, ...question });
    return entry;
  }

  /** A stale answer is served at once and regenerated in the background. */
  #revalidate(question: CacheQuestion): void {
    if (!this.#running.has(nameOf(question))) this.#generate(question).hold();
  }

  #generate(question: CacheQuestion): SharedGeneration {
    const name = nameOf(question);
    const recorder = new AnswerRecorder();
    const generation: SharedGeneration = new SharedGeneration({
      open: (signal) => this.#open(question, signal),
      onEvent: (event) => recorder.push(event),
      timeoutMs: this.#parts.settings.turnTimeoutMs,
    });
    this.#running.set(name, generation);
    const settle = async () => {
      await generation.ended;
      if (recorder.answer) await this.#keep(question, recorder.answer);
    };
    const done = settle()
      .catch((error) => this.#log(question.context, error))
      .finally(() => {
        if (this.#running.get(name) === generation) this.#running.delete(name);
      });
    this.ctx.waitUntil(done);
    return generation;
  }

  #open({ context, choice, request }: CacheQuestion, signal: AbortSignal): ChatStream {
    return this.#parts.openModel(context, choice).stream(request, signal);
  }

  #share(generation: SharedGeneration, { key }: CacheQuestion, outcome: 'miss' | 'coalesced'): FoundAnswer {
    let seq = 0;
    const utf8 = new TextEncoder();
    const bytes = generation.read({ outcome, key }).pipeThrough(
      new TransformStream<ChatEvent, Uint8Array>({
        transform: (event, controller) =>
          controller.enqueue(utf8.encode(encodeGenerationEvent({ seq: seq++, event }))),
      }),
    );
    return { kind: 'stream', response: new Response(bytes) };
  }

  /** An answer of another model, such as a lower rung of a ladder, is not kept for this question. */
  async #keep(question: CacheQuestion, answer: CachedAnswer): Promise<void> {
    if (answer.model !== question.model) return;
    await this.#store.keep(question.context.tenant, this.#entry(question, answer));
    await this.#scheduleAlarm();
  }

  #entry({ key, scopes, model, context }: CacheQuestion, answer: CachedAnswer): AnswerEntry {
    const { now, settings } = this.#parts;
    const freshUntilMs = now() + settings.ttlMs;
    const staleUntilMs = freshUntilMs + settings.staleMs;
    const scope = scopes.at(-1) ?? EVERYBODY;
    const askedBy = context.user;
    return { key, scope, model, answer, askedBy, storedAtMs: now(), freshUntilMs, staleUntilMs };
  }

  /** Schedules the alarm for the next answer that expires or must be regenerated. */
  async #scheduleAlarm(): Promise<void> {
    const nextMs = Math.min(
      this.#ownStore?.expire() ?? Number.POSITIVE_INFINITY,
      this.#prepared.nextMs() ?? Number.POSITIVE_INFINITY,
    );
    await setAlarmNoLaterThan(this.ctx.storage, nextMs);
  }

  #log({ requestId }: RequestContext, error: unknown): void {
    logError({ requestId, error: toAppError(error) });
  }
}

function nameOf({ key, scopes }: CacheQuestion): string {
  return JSON.stringify([key, scopes.at(-1)]);
}

/** The object's methods on its stub; the platform's own type of a stub recurses without end on JSON values. */
export type AnswersStub = Pick<
  AnswersObject,
  'findOrGenerate' | 'find' | 'findFresh' | 'keep' | 'prepare' | 'remove'
>;

/** Sixteen objects per tenant, by the first digit of a question's key. */
export const ANSWER_SHARDS: readonly string[] = [...'0123456789abcdef'];

export function answersOf(
  { ANSWERS }: Pick<EdgeBindings, 'ANSWERS'>,
  tenant: string,
  shard: string,
): AnswersStub {
  return ANSWERS.get(ANSWERS.idFromName(JSON.stringify([tenant, shard]))) as unknown as AnswersStub;
}
