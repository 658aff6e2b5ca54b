/** A client of OpenAI's moderation interface (`POST /v1/moderations`), or of a service that speaks like it. */
import * as v from 'valibot';
import { readBoundedJson } from '../../shared/stream/bounded-bytes.ts';

export interface Moderation {
  flagged: boolean;
  /** Score by category, 0 to 1. */
  scores: Readonly<Record<string, number>>;
  /** The categories that the service itself objects to. */
  categories: readonly string[];
}

/** Judges texts, each on its own and in their order. @throws Error when the service does not answer as it should */
export type Moderate = (texts: readonly string[], signal: AbortSignal) => Promise<Moderation[]>;

export interface ModerationClientOptions {
  /** The whole address; it comes from configuration, never from a request. */
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
      // The platform knows no 'error' here; an answer that points elsewhere is none.
      redirect: 'manual',
      signal,
    });
    if (!response.ok) throw new Error(`the moderation service answered ${response.status}`);
    const { results } = v.parse(answerSchema, await readBoundedJson(response, MAX_ANSWER_BYTES));
    if (results.length !== texts.length) throw new Error('the moderation service left a text unjudged');
    return results.map(({ flagged, categories, category_scores: scores }) => ({
      flagged,
      categories: Object.keys(categories).filter((name) => categories[name]),
      scores: Object.fromEntries(Object.entries(scores).map(([name, score]) => [name, score ?? 0])),
    }));
  };
}
