/**
 * Where answers are kept beyond one isolate. Two implementations (the Answers object's SQLite, Upstash Redis),
 * one contract suite. The tenant is part of every key.
 */
import type { CachedAnswer } from './cached-answer.ts';

export interface AnswerEntry {
  /** The question's name, see `answer-key.ts`. */
  key: string;
  /** Whom the answer is for: a user, or {@link EVERYBODY} of the tenant. */
  scope: string;
  /** The model that the question was for. */
  model: string;
  answer: CachedAnswer;
  /** Unix times in milliseconds. After `freshUntilMs` it is asked again, and still given until `staleUntilMs`. */
  storedAtMs: number;
  freshUntilMs: number;
  staleUntilMs: number;
  /** The user whose question it answered first. */
  askedBy?: string;
  /** Prepared by the operator: it is the last to make room for others. */
  isPrepared?: boolean;
}

/** The scope of an answer that every user of the tenant may get. No user's name is empty. */
export const EVERYBODY = '';

export interface AnswerStore {
  /**
   * The first of the scopes that has an answer which is not too old to be given.
   * @throws AppError `store_unavailable`
   */
  find(tenant: string, key: string, scopes: readonly string[]): Promise<AnswerEntry | undefined>;
  /** Puts an answer in the place of an older one. @throws AppError `store_unavailable` */
  keep(tenant: string, entry: AnswerEntry): Promise<void>;
  /**
   * Forgets one question's answers, one model's, one user's, or all of a tenant's.
   * @returns how many there were @throws AppError `store_unavailable`
   */
  remove(tenant: string, which: RemovedAnswers): Promise<number>;
}

/** All of these hold for what is removed. */
export interface RemovedAnswers {
  key?: string | undefined;
  model?: string | undefined;
  /** For whom they are kept, or who asked first. */
  user?: string | undefined;
}
