/**
 * The questions of one tenant whose answers may serve questions with the same meaning, and the evidence for each. Owns the
 * tables `question` and `observation`; the Answers objects own the answers.
 */
import { DurableObject } from 'cloudflare:workers';
import type { EdgeBindings } from '../../bindings.ts';
import { type Reply, reply } from '../../reply.ts';
import type { RemovedAnswers } from '../answer-store.ts';
import { differs } from './differs.ts';
import { cosineSimilarity } from './embed.ts';
import { Evidence, type Observation } from './error-bound.ts';
import { loadQuestionReader } from './load-question-reader.ts';
import { type QuestionForm, type ReadQuestion, wordingSimilarity } from './question-form.ts';

/** A question to look up. */
export interface SemanticQuery {
  /** Hash over everything that decides the answer, except the question's text. */
  family: string;
  text: string;
  /** Its embedding, when embeddings are configured; without one, candidates are found by wording. */
  vector?: number[] | undefined;
}

export interface StoredQuestion extends SemanticQuery {
  /** The answer's key in the cache. */
  key: string;
  model: string;
  /** The user who sent it first. */
  askedBy: string;
  /** Prepared by the operator; the answer to any other question needs confirmation by questions of other users. */
  isPrepared: boolean;
}

export type Meaning =
  /** The answer may be served. */
  | { kind: 'answer'; key: string }
  /** The answer may fit; a comparison with a new answer gives evidence. */
  | { kind: 'candidate'; key: string; similarity: number }
  | { kind: 'none' };

export interface Judgement extends Observation {
  key: string;
  /** The user who sent the question. */
  user: string;
}

const MAX_QUESTIONS = 2000;
/** Most judgements per entry; the newest are kept. */
const MAX_OBSERVATIONS = 300;
/** Share of the answerable questions that are sent to the model, so that a change is noticed. */
const AUDIT_SHARE = 0.05;
/** Users whose questions must confirm an answer that is not prepared. */
const MIN_CONFIRMING_USERS = 2;
const MIN_COSINE = 0.75;
const MAX_CANDIDATES = 3;

interface Candidate {
  key: string;
  similarity: number;
  isPrepared: boolean;
}

type Row = { key: string; text: string; prepared: number; vector: ArrayBuffer | null };

/** The object's dependencies beside its storage. */
export interface MeaningParts {
  /** Largest expected share of wrong answers among the served ones. */
  delta: number;
  now: () => number;
}

/** `edge/worker.ts` provides the parts. */
export abstract class MeaningObject extends DurableObject<EdgeBindings> {
  readonly #delta: number;
  readonly #now: () => number;

  constructor(state: DurableObjectState, bindings: EdgeBindings, { delta, now }: MeaningParts) {
    super(state, bindings);
    this.#delta = delta;
    this.#now = now;
    const { sql } = state.storage;
    sql.exec(`CREATE TABLE IF NOT EXISTS question (
      key TEXT PRIMARY KEY, family TEXT NOT NULL, canonical TEXT NOT NULL, text TEXT NOT NULL, model TEXT NOT NULL,
      prepared INTEGER NOT NULL, vector BLOB, added_at_ms INTEGER NOT NULL, asked_by TEXT NOT NULL)`);
    sql.exec('CREATE INDEX IF NOT EXISTS question_by_wording ON question (family, canonical)');
    sql.exec('CREATE INDEX IF NOT EXISTS question_by_age ON question (prepared, added_at_ms)');
    sql.exec(`CREATE TABLE IF NOT EXISTS observation (
      key TEXT NOT NULL, similarity REAL NOT NULL, was_right INTEGER NOT NULL, user TEXT NOT NULL)`);
    sql.exec('CREATE INDEX IF NOT EXISTS observation_by_key ON observation (key)');
  }

  /** The best match of a question, if any. */
  async lookUp(question: SemanticQuery): Promise<Reply<Meaning>> {
    return reply(async () => {
      const readQuestion = await loadQuestionReader(this.env.ASSETS);
      const form = readQuestion(question.text);
      const rows = question.vector
        ? this.#nearest(question.family, question.vector)
        : this.#sameWording(question.family, form);
      const [best] = ranked(rows, form, question.vector, readQuestion);
      if (!best) return { kind: 'none' };
      const { key, similarity } = best;
      return this.#mayAnswer(best) && Math.random() >= AUDIT_SHARE
        ? { kind: 'answer', key }
        : { kind: 'candidate', key, similarity };
    });
  }

  async add({ key, family, text, model, askedBy, isPrepared, vector }: StoredQuestion): Promise<Reply<void>> {
    return reply(async () => {
      const readQuestion = await loadQuestionReader(this.env.ASSETS);
      const { sql } = this.ctx.storage;
      const [stored] = sql
        .exec<{ prepared: number }>('SELECT prepared FROM question WHERE key = ?', key)
        .toArray();
      if (stored && stored.prepared >= Number(isPrepared)) return;
      sql.exec(
        'INSERT OR REPLACE INTO question VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        key,
        family,
        readQuestion(text).canonical,
        text,
        model,
        Number(isPrepared),
        vector ? new Float32Array(vector).buffer : null,
        this.#now(),
        askedBy,
      );
      this.#evict();
    });
  }

  /**
   * Records whether an answer was right for a similar question.
   * @param judgements by the operator, or from a comparison with a user's new answer
   */
  async observe(judgements: Judgement[]): Promise<Reply<void>> {
    return reply(async () => {
      const { sql } = this.ctx.storage;
      for (const { key, similarity, wasRight, user } of judgements) {
        sql.exec('INSERT INTO observation VALUES (?, ?, ?, ?)', key, similarity, Number(wasRight), user);
        sql.exec(
          `DELETE FROM observation WHERE key = ?1 AND rowid <= (
             SELECT rowid FROM observation WHERE key = ?1 ORDER BY rowid DESC LIMIT 1 OFFSET ?2)`,
          key,
          MAX_OBSERVATIONS,
        );
      }
    });
  }

  /** Similarity of a text to a stored question; `undefined` when a rule says that one answer does not serve both. */
  async compare(key: string, text: string, vector: number[] | undefined): Promise<Reply<number | undefined>> {
    return reply(async () => {
      const readQuestion = await loadQuestionReader(this.env.ASSETS);
      const [row] = this.ctx.storage.sql
        .exec<Row>('SELECT key, text, prepared, vector FROM question WHERE key = ?', key)
        .toArray();
      return row && similarity(readQuestion(text), vector, row, readQuestion);
    });
  }

  async remove({ key, model, user }: RemovedAnswers): Promise<Reply<void>> {
    return reply(async () => {
      const { sql } = this.ctx.storage;
      sql.exec(
        `DELETE FROM question WHERE (?1 IS NULL OR key = ?1) AND (?2 IS NULL OR model = ?2)
         AND (?3 IS NULL OR asked_by = ?3)`,
        key ?? null,
        model ?? null,
        user ?? null,
      );
      sql.exec('DELETE FROM observation WHERE user = ?', user ?? null);
      sql.exec('DELETE FROM observation WHERE key NOT IN (SELECT key FROM question)');
    });
  }

  /** Found by an index, so the time does not grow with the number of questions. */
  #sameWording(family: string, form: QuestionForm): Row[] {
    return this.ctx.storage.sql
      .exec<Row>(
        'SELECT key, text, prepared, vector FROM question WHERE family = ? AND canonical = ? LIMIT 8',
        family,
        form.canonical,
      )
      .toArray();
  }

  #nearest(family: string, vector: number[]): Row[] {
    return this.ctx.storage.sql
      .exec<Row>('SELECT key, text, prepared, vector FROM question WHERE family = ?', family)
      .toArray()
      .map((row) => ({ row, cosine: cosineSimilarity(vector, row.vector) }))
      .filter(({ cosine }) => cosine >= MIN_COSINE)
      .sort((one, other) => other.cosine - one.cosine)
      .slice(0, MAX_CANDIDATES)
      .map(({ row }) => row);
  }

  #mayAnswer({ key, similarity, isPrepared }: Candidate): boolean {
    const seen = this.ctx.storage.sql
      .exec<{ similarity: number; wasRight: number; user: string }>(
        'SELECT similarity, was_right AS wasRight, user FROM observation WHERE key = ?',
        key,
      )
      .toArray();
    const confirmingUsers = new Set(seen.filter(({ wasRight }) => wasRight === 1).map(({ user }) => user));
    if (!isPrepared && confirmingUsers.size < MIN_CONFIRMING_USERS) return false;
    const evidence = new Evidence(
      seen.map((observation) => ({
        similarity: observation.similarity,
        wasRight: observation.wasRight === 1,
      })),
    );
    return evidence.mayAnswer(similarity, { delta: this.#delta });
  }

  #evict(): void {
    const { sql } = this.ctx.storage;
    sql.exec(
      `DELETE FROM question WHERE key IN (
         SELECT key FROM question ORDER BY prepared DESC, added_at_ms DESC LIMIT -1 OFFSET ?)`,
      MAX_QUESTIONS,
    );
  }
}

function ranked(
  rows: Row[],
  form: QuestionForm,
  vector: number[] | undefined,
  readQuestion: ReadQuestion,
): Candidate[] {
  return rows
    .flatMap((row): Candidate[] => {
      const found = similarity(form, vector, row, readQuestion);
      return found === undefined ? [] : [{ key: row.key, similarity: found, isPrepared: row.prepared === 1 }];
    })
    .sort((one, other) => other.similarity - one.similarity);
}

/** @returns `undefined` when one answer does not serve both questions */
function similarity(
  form: QuestionForm,
  vector: number[] | undefined,
  row: Row,
  readQuestion: ReadQuestion,
): number | undefined {
  const other = readQuestion(row.text);
  if (differs(form, other, vector ? 'meaning' : 'wording')) return undefined;
  return vector ? cosineSimilarity(vector, row.vector) : wordingSimilarity(form, other);
}

/** The object's methods on its stub. */
export type MeaningStub = Pick<MeaningObject, 'lookUp' | 'add' | 'observe' | 'compare' | 'remove'>;

export function meaningOf({ MEANING }: Pick<EdgeBindings, 'MEANING'>, tenant: string): MeaningStub {
  return MEANING.get(MEANING.idFromName(JSON.stringify([tenant]))) as unknown as MeaningStub;
}
