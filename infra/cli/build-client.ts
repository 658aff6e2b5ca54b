import { resolve } from 'node:path';
import { buildClient } from '../local/build-client.ts';
import { runCommand } from '../local/command.ts';
import { projectRoot } from '../local/settings.ts';

await runCommand({
  name: 'npm run build:client',
  summary: 'Builds the client package @edgewise/client; "npm publish FOLDER" publishes it.',
  options: { out: { type: 'string', value: 'FOLDER', default: 'dist/client', help: 'Output folder' } },
  example: 'npm run build:client -- --out /tmp/client',
  async run({ out }) {
    const folder = resolve(projectRoot, out);
    await buildClient(folder);
    console.log(folder);
  },
});
