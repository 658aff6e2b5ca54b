/**
 * The questions of one tenant whose answers may serve others that mean the same, and what is known of how well
 * they do. Owns the tables `question` and `observation`; the answers themselves are the Answers objects'.
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

/** A question as it is looked for. */
export interface MeantQuestion {
  /** Everything but the question's text that decides the answer, as a hash. */
  family: string;
  text: string;
  /** Its embedding, where embeddings are configured; wording alone finds candidates without one. */
  vector?: number[] | undefined;
}

export interface KnownQuestion extends MeantQuestion {
  /** The answer's name in the cache. */
  key: string;
  model: string;
  /** Whose question it was first. */
  askedBy: string;
  /** Prepared by the operator; any other one answers only what other users' questions have confirmed. */
  isPrepared: boolean;
}

export type Meaning =
  /** That answer may be given. */
  | { kind: 'answer'; key: string }
  /** It may be the answer, and asking would tell. */
  | { kind: 'candidate'; key: string; similarity: number }
  | { kind: 'nothing' };

export interface Judgement extends Observation {
  key: string;
  /** Whose question it was. */
  user: string;
}

const MAX_QUESTIONS = 2000;
/** Newest judgements that count. */
const MAX_OBSERVATIONS = 300;
/** Part of the questions that could be answered which are asked all the same, so that a change is seen. */
const AUDIT = 0.05;
/** Other users whose questions must have confirmed an answer that nobody prepared. */
const MIN_WITNESSES = 2;
const MIN_COSINE = 0.75;
const MAX_CANDIDATES = 3;

interface Candidate {
  key: string;
  similarity: number;
  isPrepared: boolean;
}

type Row = { key: string; text: string; prepared: number; vector: ArrayBuffer | null };

/** What the object works with, beyond its own storage. */
export interface MeaningParts {
  /** Most answers by meaning that may be wrong, as a part of those given. */
  delta: number;
  now: () => number;
}

/** `edge/worker.ts` gives it its parts. */
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

  /** Which answer may be given for a question, if any. */
  async lookUp(question: MeantQuestion): Promise<Reply<Meaning>> {
    return reply(async () => {
      const readQuestion = await loadQuestionReader(this.env.ASSETS);
      const form = readQuestion(question.text);
      const rows = question.vector
        ? this.#nearest(question.family, question.vector)
        : this.#wordedAlike(question.family, form);
      const [best] = ranked(rows, form, question.vector, readQuestion);
      if (!best) return { kind: 'nothing' };
      const { key, similarity } = best;
      return this.#mayAnswer(best) && Math.random() >= AUDIT
        ? { kind: 'answer', key }
        : { kind: 'candidate', key, similarity };
    });
  }

  async add({ key, family, text, model, askedBy, isPrepared, vector }: KnownQuestion): Promise<Reply<void>> {
    return reply(async () => {
      const readQuestion = await loadQuestionReader(this.env.ASSETS);
      const { sql } = this.ctx.storage;
      const [known] = sql
        .exec<{ prepared: number }>('SELECT prepared FROM question WHERE key = ?', key)
        .toArray();
      if (known && known.prepared >= Number(isPrepared)) return;
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
      this.#makeRoom();
    });
  }

  /**
   * Takes down whether an answer was right for a question like its own.
   * @param judgements Of questions by the operator, or of a user's whose fresh answer was compared.
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

  /** How alike a question is to a known one; `undefined` when a rule says that one answer does not serve both. */
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

  /** An index finds them, so many questions cost no more than few. */
  #wordedAlike(family: string, form: QuestionForm): Row[] {
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
    const witnesses = new Set(seen.filter(({ wasRight }) => wasRight === 1).map(({ user }) => user));
    if (!isPrepared && witnesses.size < MIN_WITNESSES) return false;
    const evidence = new Evidence(
      seen.map((observation) => ({
        similarity: observation.similarity,
        wasRight: observation.wasRight === 1,
      })),
    );
    return evidence.mayAnswer(similarity, { delta: this.#delta });
  }

  #makeRoom(): void {
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

/** The object's methods as its stub has them. */
export type MeaningStub = Pick<MeaningObject, 'lookUp' | 'add' | 'observe' | 'compare' | 'remove'>;

export function meaningOf({ MEANING }: Pick<EdgeBindings, 'MEANING'>, tenant: string): MeaningStub {
  return MEANING.get(MEANING.idFromName(JSON.stringify([tenant]))) as unknown as MeaningStub;
}
