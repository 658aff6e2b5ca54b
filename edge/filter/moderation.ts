/** A client of OpenAI's moderation API (`POST /v1/moderations`) or of a compatible service. */
import * as v from 'valibot';
import { readBoundedJson } from '../../shared/stream/bounded-bytes.ts';

export interface Moderation {
  flagged: boolean;
  /** Score by category, 0 to 1. */
  scores: Readonly<Record<string, number>>;
  /** The categories that the service flags. */
  categories: readonly string[];
}

/** Judges each text separately. @returns one result per text, in order @throws Error when the service fails */
export type Moderate = (texts: readonly string[], signal: AbortSignal) => Promise<Moderation[]>;

export interface ModerationClientOptions {
  /** The full address; it comes from the configuration, never from a request. */
  url: string;
  apiKey: string | undefined;
  model: string | undefined;
  fetch: typeof fetch;
}

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const answerSchema = v.object({
  results: v.array(
    v.object({
      flagged: v.boolean(),
      categories: v.optional(v.record(v.string(), v.nullable(v.boolean())), {}),
      category_scores: v.optional(v.record(v.string(), v.nullable(v.number())), {}),
    }),
  ),
});

export function createModerationClient({ url, apiKey, model, fetch }: ModerationClientOptions): Moderate {
  return async function moderate(texts, signal) {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(apiKey && { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify({ input: texts, ...(model && { model }) }),
      // Workers do not support 'error' here; a redirect fails as a response that is not ok.
      redirect: 'manual',
      signal,
    });
    if (!response.ok) throw new Error(`the moderation service answered ${response.status}`);
    const { results } = v.parse(answerSchema, await readBoundedJson(response, MAX_ANSWER_BYTES));
    if (results.length !== texts.length)
      throw new Error('the moderation service returned another number of results than texts');
    return results.map(({ flagged, categories, category_scores: scores }) => ({
      flagged,
      categories: Object.keys(categories).filter((name) => categories[name]),
      scores: Object.fromEntries(Object.entries(scores).map(([name, score]) => [name, score ?? 0])),
    }));
  };
}
