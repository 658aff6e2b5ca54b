/** `npm run build:client`: the package `@edgewise/client`, in `dist/client/`. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildClient } from '../local/build-client.ts';
import { runMain } from '../local/run-main.ts';
import { projectRoot } from '../local/settings.ts';

const usage = `npm run build:client -- [--out FOLDER]
Builds the client package into FOLDER (dist/client by default); "npm publish FOLDER" publishes it.`;

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: join(projectRoot, 'dist/client') },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(usage);
  await buildClient(values.out);
  console.log(values.out);
});
