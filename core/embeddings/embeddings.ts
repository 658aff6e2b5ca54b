/** `POST /v1/embeddings` in OpenAI's form: what is asked at the same time goes upstream together. */
import * as v from 'valibot';
import { AppError } from '../../shared/errors.ts';
import { jsonBytes } from '../../shared/model/request-size.ts';
import { TooLargeError } from '../../shared/stream/bounded-bytes.ts';
import { parseInput } from '../../shared/wire/parse-input.ts';
import type { Caller } from '../models/caller.ts';
import type { TaskTargets } from '../models/registry.ts';
import { dispatchTask, type TaskDispatchOptions } from '../tasks/dispatch-task.ts';
import { taskTokens } from '../tasks/task-usage.ts';
import { createEmbeddingBatches, type Embedded } from './embedding-batches.ts';

export interface EmbeddingsAnswer {
  object: 'list';
  data: { object: 'embedding'; index: number; embedding: number[] | string }[];
  model: string;
  usage: { prompt_tokens: number; total_tokens: number };
}

export interface Embeddings {
  /** @param json The request's body. @throws AppError what is wrong with it, or the upstream's failure */
  answer(json: unknown, caller: Caller, signal: AbortSignal): Promise<EmbeddingsAnswer>;
  /** The vectors of these texts. @throws AppError */
  embed(model: string, texts: readonly string[], caller: Caller, signal: AbortSignal): Promise<Embedded>;
}

export interface EmbeddingsOptions extends TaskDispatchOptions {
  targetsFor: (name: string, caller: Caller) => TaskTargets;
}

/** OpenAI's bound on the inputs of one call. */
const MAX_INPUTS = 2048;
const MAX_TEXTS = 256;
const MAX_CHARS = 400_000;
const MAX_DELAY_MS = 5;
const CHARS_A_TOKEN = 4;

const text = v.pipe(v.string('must be a string'), v.minLength(1, 'must not be empty'));
/** The body of `POST /v1/embeddings`. */
export const embeddingsRequestSchema = v.object({
  model: text,
  input: v.union(
    [text, v.pipe(v.array(text), v.minLength(1, 'must not be empty'), v.maxLength(MAX_INPUTS))],
    `must be a string, or a list of at most ${MAX_INPUTS} strings`,
  ),
  encoding_format: v.optional(v.picklist(['float', 'base64'], 'must be "float" or "base64"'), 'float'),
  dimensions: v.optional(v.pipe(v.number('must be a number'), v.integer(), v.minValue(1))),
  user: v.optional(v.string()),
});

const answerSchema = v.object({
  data: v.array(v.object({ index: v.optional(v.number()), embedding: v.array(v.number()) })),
  // Checked by itself: a service that counts wrongly has still answered.
  usage: v.optional(v.unknown()),
});

/** What calls that go together have in common, as the name of their group. */
interface Group {
  model: string;
  dimensions: number | undefined;
  priority: Caller['priority'];
}

export function createEmbeddings(options: EmbeddingsOptions): Embeddings {
  const { targetsFor, now } = options;
  const batches = createEmbeddingBatches({
    maxDelayMs: MAX_DELAY_MS,
    maxTexts: MAX_TEXTS,
    maxChars: MAX_CHARS,
    async embed(name, texts, signal) {
      const { model, dimensions, priority }: Group = JSON.parse(name);
      // Several callers share the call, so only the targets' time limits bound it.
      const caller: Caller = { tenant: 'embeddings', priority, deadlineMs: now() + SHARED_DEADLINE_MS };
      const { targets, maxRetries } = targetsFor(model, caller);
      const tokens = Math.ceil(texts.reduce((sum, { length }) => sum + length, 0) / CHARS_A_TOKEN);
      const json = {
        input: texts,
        encoding_format: 'float',
        ...(dimensions !== undefined && { dimensions }),
      };
      const {
        response,
        model: answering,
        settle,
      } = await dispatchTask(
        { task: 'embeddings', body: { kind: 'json', json }, tokens },
        targets,
        { caller, maxRetries, signal },
        options,
      );
      let embedded: Embedded | undefined;
      try {
        const { vectors, usage } = toVectors(await response.json(), texts.length);
        const counted = taskTokens({
          ...{ model: answering, operation: 'embeddings', tokenType: 'input', receivedBytes: 0 },
          said: saidTokens(usage),
          sentBytes: jsonBytes(texts),
          onRejected: options.onUsageRejected,
        });
        embedded = { vectors, tokens: counted ?? tokens };
      } catch (cause) {
        if (signal.aborted) throw new AppError('cancelled');
        throw new AppError(cause instanceof TooLargeError ? 'upstream_too_large' : 'upstream_invalid', {
          cause,
        });
      } finally {
        settle(embedded?.tokens);
      }
      return embedded;
    },
  });

  async function embed(
    { model, dimensions }: { model: string; dimensions?: number | undefined },
    texts: readonly string[],
    caller: Caller,
    signal: AbortSignal,
  ): Promise<Embedded> {
    // An unknown name is refused at once, before the call waits for others to share a batch.
    targetsFor(model, caller);
    const group: Group = { model, dimensions, priority: caller.priority };
    const deadline = AbortSignal.timeout(Math.max(0, caller.deadlineMs - now()));
    return batches.embed(JSON.stringify(group), texts, AbortSignal.any([signal, deadline]));
  }

  return {
    embed: (model, texts, caller, signal) => embed({ model }, texts, caller, signal),
    async answer(json, caller, signal) {
      const wanted = parseInput(embeddingsRequestSchema, json);
      const texts = typeof wanted.input === 'string' ? [wanted.input] : wanted.input;
      const { vectors, tokens } = await embed(wanted, texts, caller, signal);
      const encode = wanted.encoding_format === 'base64' ? toBase64 : (vector: number[]) => vector;
      return {
        object: 'list',
        data: vectors.map((vector, index) => ({ object: 'embedding', index, embedding: encode(vector) })),
        model: wanted.model,
        usage: { prompt_tokens: tokens, total_tokens: tokens },
      };
    },
  };
}

const SHARED_DEADLINE_MS = 120_000;

/** @throws ValiError, Error when it is not a vector for each text */
function toVectors(json: unknown, count: number) {
  const { data, usage } = v.parse(answerSchema, json);
  const vectors: number[][] = [];
  for (const [place, { index, embedding }] of data.entries()) vectors[index ?? place] = embedding;
  if (vectors.length !== count || vectors.includes(undefined as never))
    throw new Error('vectors are missing');
  return { vectors, usage };
}

function saidTokens(usage: unknown): unknown {
  const { prompt_tokens: prompt, total_tokens: total } = (usage ?? {}) as Record<string, unknown>;
  return prompt ?? total;
}

/** 32-bit floats, little-endian, as OpenAI's. */
function toBase64(vector: number[]): string {
  const bytes = Buffer.alloc(4 * vector.length);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, 4 * index);
  return bytes.toString('base64');
}
