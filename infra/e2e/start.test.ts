/** `npm start` as a user meets it: the program itself, its words, and what is left when it is gone. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../local/ports.ts';
import { projectRoot } from '../local/settings.ts';
import { lacks } from './services.ts';

interface Started {
  process: ChildProcess;
  env: Record<string, string>;
  /** What it has said so far, on both outputs. */
  said(): string;
  /** Its exit code. */
  ended: Promise<number | null>;
}

async function start(more: Record<string, string> = {}): Promise<Started> {
  const dataDir = await mkdtemp(join(tmpdir(), 'edgewise start '));
  const env = {
    PATH: process.env.PATH ?? '',
    PORT: String(await freePort()),
    CORE_PORT: String(await freePort()),
    EDGEWISE_DATA: dataDir,
    ...more,
  };
  const child = spawn(process.execPath, ['infra/cli/start.ts'], { cwd: projectRoot, env });
  let text = '';
  for (const output of [child.stdout, child.stderr]) output.on('data', (piece) => (text += piece));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(dataDir, { recursive: true, force: true });
  });
  return { process: child, env, said: () => text, ended };
}

const ready = (started: Started) => expect.poll(started.said, { timeout: 20_000 }).toContain('Stop: Ctrl-C');

async function refusesConnections(port: string | undefined): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/healthz`).then(
    () => false,
    () => true,
  );
}

async function expectNothingLeft({ env }: Started): Promise<void> {
  for (const port of [env.PORT, env.CORE_PORT]) {
    await expect.poll(() => refusesConnections(port), { timeout: 5000 }).toBe(true);
  }
}

test.each(['SIGINT', 'SIGTERM'] as const)('%s stops everything, and that is no failure', async (signal) => {
  const started = await start();
  await ready(started);
  started.process.kill(signal);
  expect(await started.ended).toBe(0);
  await expectNothingLeft(started);
});

test.skipIf(lacks('ps'))('a core that crashes stops the rest, and its last words are shown', async () => {
  const started = await start();
  await ready(started);
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=,args=']);
  const core = stdout.split('\n').find((line) => {
    const [, parent] = line.trim().split(/\s+/);
    return Number(parent) === started.process.pid && line.includes('core/server.ts');
  });
  process.kill(Number.parseInt(core ?? '', 10), 'SIGKILL');
  expect(await started.ended).toBe(1);
  expect(started.said()).toContain('The core was ended by SIGKILL:');
  expect(started.said()).toContain('core listens');
  await expectNothingLeft(started);
});

test('nothing lives on when it is killed, and the next start takes the folder over', async () => {
  const started = await start();
  await ready(started);
  started.process.kill('SIGKILL');
  await started.ended;
  await expectNothingLeft(started);

  const again = await start({ EDGEWISE_DATA: started.env.EDGEWISE_DATA ?? '' });
  await ready(again);
});

test('a second start on the same folder is refused', async () => {
  const started = await start();
  await ready(started);
  const second = await start({ EDGEWISE_DATA: started.env.EDGEWISE_DATA ?? '' });
  expect(await second.ended).toBe(1);
  expect(second.said()).toContain(
    `Edgewise runs on this data folder already (process ${started.process.pid}).`,
  );
  expect(await refusesConnections(started.env.PORT)).toBe(false);
});

test('a taken port is named before anything starts', async () => {
  const taken = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void taken.close());
  const started = await start({ CORE_PORT: String(port) });
  expect(await started.ended).toBe(1);
  expect(started.said().trim()).toBe(
    `Port ${port} is taken by another program. Set CORE_PORT to another one: CORE_PORT=${port + 10} npm start`,
  );
});

test.each([
  ['edge', { EDGEWISE_MAX_BODY_BYTES: 'much' }, 'EDGEWISE_MAX_BODY_BYTES must be a whole number'],
  ['core', { EDGEWISE_GRACE_MS: 'long' }, 'EDGEWISE_GRACE_MS must be a whole number'],
])('a wrong setting of the %s is said at once, in its words', async (_name, wrong, words) => {
  const started = await start(wrong);
  expect(await started.ended).toBe(1);
  expect(started.said()).toContain(words);
  expect(started.said()).not.toContain('stack');
  await expectNothingLeft(started);
});

test('secrets are written to one file only', async () => {
  const started = await start();
  await ready(started);
  const dataDir = started.env.EDGEWISE_DATA ?? '';
  const secrets: Record<string, string> = JSON.parse(await readFile(join(dataDir, 'secrets.json'), 'utf8'));
  for (const file of ['edge/config.capnp', 'logs/core.log', 'logs/edge.log']) {
    const text = await readFile(join(dataDir, file), 'utf8');
    for (const secret of Object.values(secrets)) expect(text).not.toContain(secret);
  }
  for (const secret of Object.values(secrets)) expect(started.said()).not.toContain(secret);
});
