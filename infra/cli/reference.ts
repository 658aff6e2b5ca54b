import { runCommand } from '../local/command.ts';
import { referenceFiles, staleFiles, writeFiles } from '../reference/reference-files.ts';

await runCommand({
  name: 'npm run reference',
  summary: 'Writes the generated references: docs/public/openapi.json and docs/{en,zh}/reference/.',
  options: {
    check: {
      type: 'boolean',
      help: 'Write nothing; fail when a file on disk differs from what would be written',
    },
  },
  example: 'npm run reference -- --check',
  async run({ check }) {
    const files = await referenceFiles();
    if (!check) {
      await writeFiles(files);
      return console.log([...files.keys()].join('\n'));
    }
    const stale = await staleFiles(files);
    if (stale.length > 0)
      throw new Error(`Run "npm run reference"; these files are out of date:\n${stale.join('\n')}`);
  },
});
