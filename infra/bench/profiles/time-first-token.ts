import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { runCommand } from '../../local/command.ts';
import { timeStream } from '../measure/first-token.ts';
import { loadTarget } from '../measure/load.ts';
import { median } from '../measure/statistics.ts';
import { startSystems } from '../systems/systems.ts';
import { type Asked, askedAnew } from '../systems/target.ts';

const STREAMS = 300;
const PAUSE_MS = 10;

await runCommand({
  name: 'npm run bench:first-token',
  summary:
    'Times the two parts of a first token that a Worker can shorten, by the system calls of its process: from the request ' +
    'to the upstream call, and from the first token to the answer. Needs strace, which slows each call: compare the ' +
    'targets with one another.',
  example: 'npm run bench:first-token',
  run: timeFirstTokens,
});

async function timeFirstTokens(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'edgewise-trace-'));
  const systems = await startSystems();
  try {
    await systems.upstream.behave({ events: 5, firstMs: 5, paceMs: 0 });
    const ours = await systems.edge();
    const targets = { ours, guarded: await systems.guardedFloor(), routed: { ...ours, model: 'auto' } };
    for (const target of Object.values(targets))
      await loadTarget(target, { ...askedAnew, clients: 8, seconds: 3 });
    for (const [name, target] of Object.entries(targets)) {
      const own: Asked = 'model' in target ? { ...askedAnew, model: target.model } : askedAnew;
      const steps = await traceWhile(folder, target.pid, async () => {
        for (let stream = 0; stream < STREAMS; stream++) {
          await timeStream(target, own);
          await wait(PAUSE_MS);
        }
      });
      const ms = (values: number[]) => (median(values) * 1000).toFixed(2);
      console.log(
        `${name.padEnd(8)} request read to upstream asked ${ms(steps.map(({ toUpstream }) => toUpstream))} ms, ` +
          `first word read to answer written ${ms(steps.map(({ toReader }) => toReader))} ms, of ${steps.length} streams`,
      );
    }
  } finally {
    await systems.stop();
    await rm(folder, { recursive: true });
  }
}

/** Seconds. */
interface Steps {
  toUpstream: number;
  toReader: number;
}

async function traceWhile(folder: string, pid: number, work: () => Promise<void>): Promise<Steps[]> {
  const file = join(folder, String(pid));
  const args = [
    '-f',
    '-ttt',
    '-s',
    '24',
    '-e',
    'trace=recvfrom,sendto,writev',
    '-o',
    file,
    '-p',
    String(pid),
  ];
  const tracer = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve, reject) => {
    tracer.once('exit', () => resolve());
    tracer.once('error', reject);
  });
  // It says on its standard error that it has begun.
  await Promise.race([new Promise((resolve) => tracer.stderr.once('data', resolve)), ended]);
  await work();
  tracer.kill('SIGINT');
  await ended;
  return readSteps(await readFile(file, 'utf8'));
}

/** Of streams one after the other: a request, a call upstream, a word, an answer. */
function readSteps(trace: string): Steps[] {
  const steps: Steps[] = [];
  let [requestAt, askedAt, wordAt] = [0, 0, 0];
  for (const line of trace.split('\n')) {
    const [, seconds, call, given = ''] = /^\d+ +([\d.]+) (\w+)\((.*)/.exec(line) ?? [];
    const at = Number(seconds);
    if (call === 'recvfrom' && given.includes('"POST ')) [requestAt, askedAt, wordAt] = [at, 0, 0];
    else if (call === 'sendto' && given.includes('"POST ')) askedAt ||= at;
    else if (call === 'recvfrom' && given.includes('data: ') && askedAt > 0) wordAt ||= at;
    else if (call === 'writev' && given.includes('"HTTP/1.1 200') && wordAt > 0)
      steps.push({ toUpstream: askedAt - requestAt, toReader: at - wordAt });
  }
  return steps;
}
