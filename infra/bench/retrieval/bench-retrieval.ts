import { runCommand } from '../../local/command.ts';
import { measureRecall } from './measure-recall.ts';

await runCommand({
  name: 'npm run bench:retrieval',
  summary: 'Prints the recall of the knowledge base over its own questions, as a table.',
  example: 'npm run bench:retrieval',
  async run() {
    const { questions, recallAt5, missed } = await measureRecall();
    console.log(
      `${questions} questions in English and Chinese over infra/config/knowledge, with the built-in vectors\n`,
    );
    console.log('| ranking | recall@5 |\n|---|---|');
    for (const [ranking, recall] of Object.entries(recallAt5))
      console.log(`| ${ranking} | ${recall.toFixed(3)} |`);
    if (missed.length > 0)
      console.log(`\nNot found by both together:\n${missed.map((question) => `- ${question}`).join('\n')}`);
  },
});
