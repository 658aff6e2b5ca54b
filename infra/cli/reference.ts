/** `npm run reference`: writes the generated references of the documentation and the OpenAPI document. */
import { parseArgs } from 'node:util';
import { runMain } from '../local/run-main.ts';
import { referenceFiles, staleFiles, writeFiles } from '../reference/reference-files.ts';

const usage = `npm run reference [-- --check]
Writes docs/public/openapi.json and docs/{en,zh}/reference/. With --check it writes nothing, and fails when a file
on disk differs from what would be written.`;

await runMain(async () => {
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({ options: { check: flag, help: flag } });
  if (values.help) return console.log(usage);
  const files = await referenceFiles();
  if (!values.check) {
    await writeFiles(files);
    return console.log([...files.keys()].join('\n'));
  }
  const stale = await staleFiles(files);
  if (stale.length > 0)
    throw new Error(`Run "npm run reference"; these files are out of date:\n${stale.join('\n')}`);
});
