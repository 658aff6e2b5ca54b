import { buildEdge } from '../local/build.ts';
import { runCommand } from '../local/command.ts';

await runCommand({
  name: 'npm run build',
  summary: 'Builds the Worker (dist/edge) and its static assets (dist/assets).',
  example: 'npm run build',
  run: () => buildEdge(),
});
