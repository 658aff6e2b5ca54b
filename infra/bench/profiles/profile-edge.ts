/**
 * `node infra/bench/profiles/profile-edge.ts NAME`: a processor profile of the edge under the load of one row, taken
 * through workerd's inspector. The profile (for Chrome's DevTools) stays in the temporary folder; what it says in sum
 * is printed.
 */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import WebSocket from 'ws';
import { loadTarget } from '../measure/load.ts';
import { startSystems } from '../systems/systems.ts';
import { type Profile, summarise } from './summarise.ts';

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
  const inspector = await openInspector(edge.inspectorPort ?? 0);
  await inspector.call('Profiler.enable');
  await inspector.call('Profiler.setSamplingInterval', { interval: 200 });
  await inspector.call('Profiler.start');
  const result = await loadTarget(edge, load);
  const { profile } = (await inspector.call('Profiler.stop')) as { profile: Profile };
  inspector.close();
  const path = join(tmpdir(), `edgewise-${name}.cpuprofile`);
  await writeFile(path, JSON.stringify(profile));
  console.log(`${Math.round(result.answersPerSecond)} answers a second while profiled; ${path}\n`);
  console.log(summarise(profile));
} finally {
  await systems.stop();
}

interface Inspector {
  call(method: string, params?: object): Promise<unknown>;
  close(): void;
}

async function openInspector(port: number): Promise<Inspector> {
  const listed = await fetch(`http://127.0.0.1:${port}/json`);
  const targets = (await listed.json()) as { webSocketDebuggerUrl: string }[];
  const url = targets[0]?.webSocketDebuggerUrl;
  if (!url) throw new Error('the inspector names no target');
  const socket = new WebSocket(url);
  const waiting = new Map<number, (result: unknown) => void>();
  socket.on('message', (text) => {
    const { id, result } = JSON.parse(String(text)) as { id?: number; result?: unknown };
    if (id !== undefined) waiting.get(id)?.(result);
  });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  let lastId = 0;
  return {
    call(method, params = {}) {
      const id = ++lastId;
      const { promise, resolve } = Promise.withResolvers<unknown>();
      waiting.set(id, resolve);
      socket.send(JSON.stringify({ id, method, params }));
      return promise;
    },
    close: () => socket.close(),
  };
}
