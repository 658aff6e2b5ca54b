/**
 * `node infra/bench/profiles/profile-edge.ts NAME`: a processor profile of the edge under the load of one row, taken
 * through workerd's inspector. The profile (for Chrome's DevTools) stays in the temporary folder; what it says in sum
 * is printed.
 */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
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

const { positionals } = parseArgs({ allowPositionals: true });
const name = (positionals[0] ?? 'cached') as keyof typeof loads;
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
