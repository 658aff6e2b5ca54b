/**
 * The frequent answers of one tenant, one object for each sixteenth of the questions: finds an answer that is
 * there, lets those who ask the same at the same time share one call, and keeps what comes out whole. Owns the
 * calls under way; the answers are the store's.
 */
import { DurableObject } from 'cloudflare:workers';
import { AppError, toAppError } from '../../shared/errors.ts';
import type { ChatEvent, ChatModel, ChatStream } from '../../shared/model/chat-model.ts';
import { encodeGenerationEvent } from '../../shared/protocol/generation-protocol.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import { startDeadline } from '../../shared/stream/deadline.ts';
import type { EdgeBindings } from '../bindings.ts';
import type { ModelChoice } from '../models/model-choice.ts';
import { logError } from '../observe/log.ts';
import { type Reply, reply } from '../reply.ts';
import { setAlarmNoLaterThan } from '../wake-by.ts';
import type { AskedQuestion } from './answer-key.ts';
import { type AnswerEntry, type AnswerStore, EVERYBODY, type RemovedAnswers } from './answer-store.ts';
import { AnswerRecorder, type CachedAnswer } from './cached-answer.ts';
import { createPreparedList, type PreparedList } from './prepared-list.ts';
import { SharedGeneration } from './shared-generation.ts';
import { createSqliteAnswerStore, type SqliteAnswerStore } from './sqlite-answer-store.ts';
import { createUpstashAnswerStore } from './upstash-answer-store.ts';

export type AnswerFound =
  | { kind: 'entry'; entry: AnswerEntry }
  /** The events as `shared/protocol/generation-protocol.ts` encodes them; cancelling the body leaves the call to others. */
  | { kind: 'stream'; response: Response };

export interface PreparedAnswer {
  freshUntilMs: number;
  answer: CachedAnswer;
}

/** Prepared answers are asked again when this part of their time is left. */
const REFRESH_PART = 0.2;
/** Longest wait before a prepared answer that could not be had is asked again. */
const REFRESH_AGAIN_MS = 60_000;
/** Prepared answers asked again in one go. */
const REFRESH_AT_ONCE = 8;
const MAX_SHARD_BYTES = 32 * 1024 * 1024;

/** What the object works with, beyond its own storage. */
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
  /** How long an answer is fresh, and then still given while it is asked again. */
  ttlMs: number;
  staleMs: number;
}

/** `edge/worker.ts` gives it its parts. */
export abstract class AnswersObject extends DurableObject<EdgeBindings> {
  readonly #parts: AnswersParts;
  readonly #store: AnswerStore;
  /** The store, when it is this object's own. */
  readonly #ownStore?: SqliteAnswerStore;
  readonly #prepared: PreparedList;
  /** By question and scope. */
  readonly #underWay = new Map<string, SharedGeneration>();
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

  /** The answer if there is one, else a share in the call that makes it. */
  async ask(question: AskedQuestion): Promise<Reply<AnswerFound>> {
    return reply(async () => {
      if (question.maxAgeMs === 0) return this.#share(this.#generate(question), question, 'miss');
      const entry = await this.#find(question);
      if (entry) return { kind: 'entry', entry };
      const running = this.#underWay.get(nameOf(question));
      return running
        ? this.#share(running, question, 'coalesced')
        : this.#share(this.#generate(question), question, 'miss');
    });
  }

  /** The answer if there is one. Asks no model. */
  async find(question: AskedQuestion): Promise<Reply<AnswerEntry | undefined>> {
    return reply(() => this.#find(question));
  }

  /** The answer to another question, for the scopes of this one, as long as it is fresh. */
  async findFresh({ scopes, context }: AskedQuestion, key: string): Promise<Reply<AnswerEntry | undefined>> {
    return reply(async () => {
      const entry = await this.#store.find(context.tenant, key, scopes);
      return entry && entry.freshUntilMs > this.#parts.now() ? entry : undefined;
    });
  }

  /** Keeps an answer that was made elsewhere. */
  async keep(question: AskedQuestion, answer: CachedAnswer): Promise<Reply<void>> {
    return reply(() => this.#keep(question, answer));
  }

  /** Asks for an answer on behalf of every user of the tenant, and keeps it for `ttlMs`. */
  async prepare(question: AskedQuestion, ttlMs: number): Promise<Reply<PreparedAnswer>> {
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
      this.#prepared.put({ question, ttlMs, dueAtMs: freshUntilMs - ttlMs * REFRESH_PART });
      await this.#watch();
      return { freshUntilMs, answer };
    });
  }

  async remove(tenant: string, which: RemovedAnswers): Promise<Reply<number>> {
    return reply(() => {
      // What an operator has prepared is no user's.
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
      // The old answer serves until its end.
      this.#log(context, AppError.fromInfo(outcome.error));
      const againMs = Math.min(REFRESH_AGAIN_MS, ttlMs * REFRESH_PART);
      this.#prepared.put({ question, ttlMs, dueAtMs: Math.max(dueAtMs, now() + againMs) });
    }
    await this.#watch();
  }

  async #find({ key, scopes, maxAgeMs, ...question }: AskedQuestion): Promise<AnswerEntry | undefined> {
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

  /** A stale answer is given at once, and asked again behind the reader's back. */
  #revalidate(question: AskedQuestion): void {
    if (!this.#underWay.has(nameOf(question))) this.#generate(question).hold();
  }

  #generate(question: AskedQuestion): SharedGeneration {
    const name = nameOf(question);
    const recorder = new AnswerRecorder();
    const generation: SharedGeneration = new SharedGeneration({
      open: (signal) => this.#open(question, signal),
      onEvent: (event) => recorder.push(event),
      timeoutMs: this.#parts.settings.turnTimeoutMs,
    });
    this.#underWay.set(name, generation);
    const settle = async () => {
      await generation.ended;
      if (recorder.answer) await this.#keep(question, recorder.answer);
    };
    const over = settle()
      .catch((error) => this.#log(question.context, error))
      .finally(() => {
        if (this.#underWay.get(name) === generation) this.#underWay.delete(name);
      });
    this.ctx.waitUntil(over);
    return generation;
  }

  #open({ context, choice, request }: AskedQuestion, signal: AbortSignal): ChatStream {
    return this.#parts.openModel(context, choice).stream(request, signal);
  }

  #share(generation: SharedGeneration, { key }: AskedQuestion, outcome: 'miss' | 'coalesced'): AnswerFound {
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

  /** Another model's answer, as a ladder's lower rung gives it, is not the answer to this question. */
  async #keep(question: AskedQuestion, answer: CachedAnswer): Promise<void> {
    if (answer.model !== question.model) return;
    await this.#store.keep(question.context.tenant, this.#entry(question, answer));
    await this.#watch();
  }

  #entry({ key, scopes, model, context }: AskedQuestion, answer: CachedAnswer): AnswerEntry {
    const { now, settings } = this.#parts;
    const freshUntilMs = now() + settings.ttlMs;
    const staleUntilMs = freshUntilMs + settings.staleMs;
    const scope = scopes.at(-1) ?? EVERYBODY;
    const askedBy = context.user;
    return { key, scope, model, answer, askedBy, storedAtMs: now(), freshUntilMs, staleUntilMs };
  }

  /** Wakes up for what is next: an answer to let go, or one to ask again. */
  async #watch(): Promise<void> {
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

function nameOf({ key, scopes }: AskedQuestion): string {
  return JSON.stringify([key, scopes.at(-1)]);
}

/** The object's methods as its stub has them. The platform's own type expands JSON without end. */
export type AnswersStub = Pick<AnswersObject, 'ask' | 'find' | 'findFresh' | 'keep' | 'prepare' | 'remove'>;

/** Sixteen objects a tenant, by the first digit of a question's key. */
export const ANSWER_SHARDS: readonly string[] = [...'0123456789abcdef'];

export function answersOf(
  { ANSWERS }: Pick<EdgeBindings, 'ANSWERS'>,
  tenant: string,
  shard: string,
): AnswersStub {
  return ANSWERS.get(ANSWERS.idFromName(JSON.stringify([tenant, shard]))) as unknown as AnswersStub;
}
