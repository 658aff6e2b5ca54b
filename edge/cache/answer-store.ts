/**
 * Where answers are kept beyond one isolate. Two implementations (the Answers object's SQLite, Upstash Redis),
 * one contract suite. The tenant is part of every key.
 */
import type { CachedAnswer } from './cached-answer.ts';

export interface AnswerEntry {
  /** The question's key; see `answer-key.ts`. */
  key: string;
  /** Who may get the answer: a user, or {@link EVERYBODY} of the tenant. */
  scope: string;
  /** The model that gave the answer. */
  model: string;
  answer: CachedAnswer;
  /** Unix times in milliseconds. After `freshUntilMs` the answer is regenerated, and still served until `staleUntilMs`. */
  storedAtMs: number;
  freshUntilMs: number;
  staleUntilMs: number;
  /** The user who sent the question first. */
  askedBy?: string;
  /** Prepared by the operator: evicted after all others. */
  isPrepared?: boolean;
}

/** The scope of an answer that every user of the tenant may get. No user id is empty. */
export const EVERYBODY = '';

export interface AnswerStore {
  /**
   * The answer of the first scope that has one which is not expired.
   * @throws AppError `store_unavailable`
   */
  find(tenant: string, key: string, scopes: readonly string[]): Promise<AnswerEntry | undefined>;
  /** Stores an answer and replaces an older one. @throws AppError `store_unavailable` */
  keep(tenant: string, entry: AnswerEntry): Promise<void>;
  /**
   * Removes the answers of one question, one model or one user, or all of a tenant's.
   * @returns how many were removed @throws AppError `store_unavailable`
   */
  remove(tenant: string, which: RemovedAnswers): Promise<number>;
}

/** A removed answer matches every given field. */
export interface RemovedAnswers {
  key?: string | undefined;
  model?: string | undefined;
  /** The user who may get them, or who sent the question first. */
  user?: string | undefined;
}
