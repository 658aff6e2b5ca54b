/** Embeddings of questions: an OpenAI-compatible address, or Workers AI. */
import * as v from 'valibot';
import { AppError } from '../../../shared/errors.ts';
import { readBoundedJson } from '../../../shared/stream/bounded-bytes.ts';

export type Embed = (text: string) => Promise<number[]>;

export interface EmbeddingsAddress {
  baseUrl: string;
  apiKey: string | undefined;
  model: string;
  fetch: typeof fetch;
}

/** A later embedding would delay the answer too much. */
const EMBED_TIMEOUT_MS = 2000;
const MAX_ANSWER_BYTES = 1024 * 1024;

const vector = v.pipe(v.array(v.number()), v.minLength(1));
const openAISchema = v.object({ data: v.tuple([v.object({ embedding: vector })]) });
const workersAISchema = v.object({ data: v.tuple([vector]) });

/** @throws AppError `upstream_unavailable`, `upstream_invalid` when it is called */
export function createOpenAIEmbed({ baseUrl, apiKey, model, fetch: send }: EmbeddingsAddress): Embed {
  return async function embed(text) {
    let body: unknown;
    try {
      const response = await send(`${baseUrl}/embeddings`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(apiKey && { authorization: `Bearer ${apiKey}` }) },
        body: JSON.stringify({ model, input: [text] }),
        signal: AbortSignal.timeout(EMBED_TIMEOUT_MS),
      });
      body = await readBoundedJson(response, MAX_ANSWER_BYTES);
    } catch (cause) {
      throw new AppError('upstream_unavailable', { cause });
    }
    return parse(openAISchema, body).data[0].embedding;
  };
}

/** @throws AppError `upstream_invalid` when it is called */
export function createWorkersAIEmbed(
  ai: { run(model: string, input: { text: string[] }): Promise<unknown> },
  model: string,
): Embed {
  return async function embed(text) {
    const body = await ai.run(model, { text: [text] });
    return parse(workersAISchema, body).data[0];
  };
}

function parse<Output>(schema: v.GenericSchema<unknown, Output>, body: unknown): Output {
  const parsed = v.safeParse(schema, body);
  if (!parsed.success) throw new AppError('upstream_invalid');
  return parsed.output;
}

/** In [-1, 1]; 0 when the sizes differ, as after a change of the model. */
export function cosineSimilarity(one: readonly number[], stored: ArrayBuffer | null): number {
  const other = stored ? new Float32Array(stored) : new Float32Array();
  if (one.length !== other.length || one.length === 0) return 0;
  let dot = 0;
  let oneSquare = 0;
  let otherSquare = 0;
  for (let index = 0; index < one.length; index++) {
    const left = one[index] as number;
    const right = other[index] as number;
    dot += left * right;
    oneSquare += left * left;
    otherSquare += right * right;
  }
  return oneSquare === 0 || otherSquare === 0 ? 0 : dot / Math.sqrt(oneSquare * otherSquare);
}
