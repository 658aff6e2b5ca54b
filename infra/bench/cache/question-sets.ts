/** The sets of questions beside this file, as pairs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface QuestionPair {
  /** The class of an adversarial pair, the style of a paraphrase. */
  group: string;
  one: string;
  other: string;
}

export type QuestionSet = 'adversarial' | 'adversarial.held-out' | 'paraphrases' | 'paraphrases.held-out';

/** Every two questions of a line are a pair. */
export function readPairs(set: QuestionSet): QuestionPair[] {
  const lines = readFileSync(join(import.meta.dirname, `${set}.txt`), 'utf8').split('\n');
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => {
      const [group = '', ...questions] = line.split(' | ');
      return questions.flatMap((one, index) =>
        questions.slice(index + 1).map((other) => ({ group, one, other })),
      );
    });
}
