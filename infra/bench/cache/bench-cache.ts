import { differs } from '../../../edge/cache/meaning/differs.ts';
import { createQuestionReader, wordingSimilarity } from '../../../edge/cache/meaning/question-form.ts';
import { questionWords } from '../../../edge/cache/meaning/question-words.ts';
import { runCommand } from '../../local/command.ts';
import { type QuestionPair, type QuestionSet, readPairs } from './question-sets.ts';

const readQuestion = createQuestionReader(questionWords);

type Finder = 'wording' | 'meaning';

function passes({ one, other }: QuestionPair, finder: Finder): boolean {
  return differs(readQuestion(one), readQuestion(other), finder) === undefined;
}

/** Upper end of the 95% interval of a share, one-sided (Clopper and Pearson, 1934), by bisection. */
function upperBound(hits: number, all: number): number {
  let low = hits / all;
  let high = 1;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (atMost(hits, all, middle) > 0.05) low = middle;
    else high = middle;
  }
  return high;
}

/** The chance of at most `hits` of `all` when each has that chance. */
function atMost(hits: number, all: number, chance: number): number {
  let term = (1 - chance) ** all;
  let sum = term;
  for (let count = 1; count <= hits; count++) {
    term *= ((all - count + 1) / count) * (chance / (1 - chance));
    sum += term;
  }
  return sum;
}

const percent = (part: number) => `${(100 * part).toFixed(1)}%`;

function report(title: string, pairs: QuestionPair[], finder: Finder): number {
  const groups = new Map<string, { passed: number; all: number }>();
  for (const pair of pairs) {
    const group = groups.get(pair.group) ?? { passed: 0, all: 0 };
    group.all++;
    if (passes(pair, finder)) group.passed++;
    groups.set(pair.group, group);
  }
  const passed = [...groups.values()].reduce((sum, group) => sum + group.passed, 0);
  console.log(`\n${title}: ${passed} of ${pairs.length}`);
  for (const [name, group] of groups) console.log(`  ${name.padEnd(12)} ${group.passed} of ${group.all}`);
  return passed;
}

await runCommand({
  name: 'npm run bench:cache',
  summary:
    'Counts which pairs of questions would share an answer by meaning: adversarial pairs, which must not, and paraphrases, ' +
    'which should. Fails when one adversarial pair would.',
  example: 'npm run bench:cache',
  async run() {
    const tuned: QuestionSet[] = ['adversarial', 'paraphrases'];
    const heldOut: QuestionSet[] = ['adversarial.held-out', 'paraphrases.held-out'];
    let wrong = 0;
    for (const [name, sets] of [
      ['used while the rules were written', tuned],
      ['held out', heldOut],
    ] as const) {
      const [adversarial = [], paraphrases = []] = sets.map(readPairs);
      console.log(`\n== Questions ${name} ==`);
      wrong += report('Wrong hits, found by wording (the default)', adversarial, 'wording');
      wrong += report('Wrong hits, were embeddings to find every pair alike', adversarial, 'meaning');
      report('Paraphrases found, by wording', paraphrases, 'wording');
      report('Paraphrases that the rules let embeddings find', paraphrases, 'meaning');
    }

    const all = [...readPairs('adversarial'), ...readPairs('adversarial.held-out')];
    console.log(
      `\nWrong hits in all: ${wrong} of ${all.length} pairs, twice. 95% upper bound of the rate on pairs like these: ${percent(upperBound(wrong, all.length))}`,
    );
    printCost(all);
    if (wrong > 0) throw new Error(`${wrong} pairs that must not share an answer would share one.`);
  },
});

/** What one decision costs, beside writing the pair as JSON. */
function printCost(all: readonly QuestionPair[]): void {
  const startMs = performance.now();
  const rounds = 20;
  for (let round = 0; round < rounds; round++) {
    for (const { one, other } of all) {
      const [left, right] = [readQuestion(one), readQuestion(other)];
      if (!differs(left, right, 'wording')) wordingSimilarity(left, right);
    }
  }
  const perPairMs = (performance.now() - startMs) / (rounds * all.length);
  const sha = performance.now();
  for (let index = 0; index < rounds * all.length; index++) JSON.stringify(all[index % all.length]);
  const floorMs = (performance.now() - sha) / (rounds * all.length);
  console.log(
    `One decision takes ${(1000 * perPairMs).toFixed(0)} microseconds here, ${(perPairMs / floorMs).toFixed(0)} times as long as writing the pair as JSON.`,
  );
}
