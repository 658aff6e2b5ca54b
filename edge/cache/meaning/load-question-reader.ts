/** Loads the question reader with its words from a static asset, once per isolate, on first use. */
import { createQuestionReader, type QuestionWords, type ReadQuestion } from './question-form.ts';

/** Kept only when loaded: on Workers, requests must not share a promise. */
let loaded: ReadQuestion | undefined;

/** @throws Error when the words cannot be read */
export async function loadQuestionReader(assets: Pick<Fetcher, 'fetch'>): Promise<ReadQuestion> {
  if (loaded) return loaded;
  const response = await assets.fetch('https://assets/cache/question-words.json');
  if (!response.ok) throw new Error(`the asset question-words.json cannot be read (${response.status})`);
  const words: QuestionWords = await response.json();
  loaded ??= createQuestionReader(words);
  return loaded;
}
