import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand, UsageError } from '../../local/command.ts';
import { profileWhile } from '../../operate/profile/inspector.ts';
import { loadTarget } from '../measure/load.ts';
import { startSystems } from '../systems/systems.ts';
import { summarise } from './summarise.ts';

const loads = {
  cached: { stream: false, content: 'When do you open on Sundays?' },
  'pass-through': {
    stream: false,
    content: 'When do you open on Sundays?',
    headers: { 'cache-control': 'no-store' },
  },
  streamed: { stream: true, content: 'Tell me about your shop.', headers: { 'cache-control': 'no-store' } },
};
const events = { cached: 100, 'pass-through': 20, streamed: 100 };

const names = Object.keys(loads).join('|');

await runCommand({
  name: 'npm run bench:profile',
  summary:
    'Takes a CPU profile of the edge under the load of one row and prints where the time goes. ' +
    'The profile stays in the temporary folder, for the developer tools of Chrome.',
  positionals: { value: names, help: 'Load to profile (default: cached)' },
  example: 'npm run bench:profile -- streamed',
  async run(_values, [name = 'cached']) {
    if (!(name in loads)) throw new UsageError(`'${name}' is not one of ${names}.`);
    await profileEdge(name as keyof typeof loads);
  },
});

async function profileEdge(name: keyof typeof loads): Promise<void> {
  const systems = await startSystems({ inspector: true });
  try {
    await systems.upstream.behave({ events: events[name], firstMs: 0, paceMs: 0 });
    const edge = await systems.edge();
    const load = { ...loads[name], clients: 32, seconds: 3 };
    await loadTarget(edge, load);
    let answersPerSecond = 0;
    const inspected = { port: edge.inspectorPort ?? 0, sampleMicroseconds: 200 };
    const profile = await profileWhile(inspected, async () => {
      ({ answersPerSecond } = await loadTarget(edge, load));
    });
    const path = join(tmpdir(), `edgewise-${name}.cpuprofile`);
    await writeFile(path, JSON.stringify(profile));
    console.log(`${Math.round(answersPerSecond)} answers a second while profiled; ${path}\n`);
    console.log(summarise(profile));
  } finally {
    await systems.stop();
  }
}
