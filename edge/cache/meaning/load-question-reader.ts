/** The reader of questions with its words: a static asset, fetched once per isolate, when first needed. */
import { createQuestionReader, type QuestionWords, type ReadQuestion } from './question-form.ts';

/** Only a finished one is kept: requests may not share a promise. */
let loaded: ReadQuestion | undefined;

/** @throws Error when the words cannot be read */
export async function loadQuestionReader(assets: Pick<Fetcher, 'fetch'>): Promise<ReadQuestion> {
  if (loaded) return loaded;
  const response = await assets.fetch('https://assets/cache/question-words.json');
  if (!response.ok) throw new Error(`the words of questions are not among the assets (${response.status})`);
  const words: QuestionWords = await response.json();
  loaded ??= createQuestionReader(words);
  return loaded;
}
