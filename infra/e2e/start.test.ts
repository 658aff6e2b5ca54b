/** `npm start`, and each part by itself, as a user runs them: output, exit codes, and that no process is left. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../local/ports.ts';
import { projectRoot } from '../local/settings.ts';
import { lacks, startRedis } from './services.ts';

interface Started {
  process: ChildProcess;
  env: Record<string, string>;
  /** Everything it has printed so far, on both outputs. */
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
    // Making it takes seconds, and no test here needs it.
    EDGEWISE_OPEN_DATABASE: 'off',
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

const ready = (started: Started) => expect.poll(started.said, { timeout: 25_000 }).toContain('Stop: Ctrl-C');

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

test.each(['SIGINT', 'SIGTERM'] as const)('%s stops everything with exit code 0', async (signal) => {
  const started = await start();
  await ready(started);
  started.process.kill(signal);
  expect(await started.ended).toBe(0);
  await expectNothingLeft(started);
});

test.skipIf(lacks('ps'))('a core that crashes stops the edge, and its last log lines are shown', async () => {
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

test('SIGKILL leaves no process, and the next start uses the same folder', async () => {
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
    `Edgewise has the folder ${started.env.EDGEWISE_DATA} open already (process ${started.process.pid}).`,
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
])('a wrong setting of the %s is reported at once', async (_name, wrong, words) => {
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

describe('each part by itself', () => {
  /** The Node of the machine, without the one that npm puts in front. */
  const systemPath = (process.env.PATH ?? '')
    .split(':')
    .filter((folder) => !folder.includes('node_modules'))
    .join(':');

  interface Part {
    process: ChildProcess;
    said(): string;
    ended: Promise<number | null>;
  }

  function startPart(command: string, args: string[], env: Record<string, string>): Part {
    const child = spawn(command, args, { cwd: projectRoot, env: { PATH: systemPath, ...env } });
    let text = '';
    for (const output of [child.stdout, child.stderr]) output.on('data', (piece) => (text += piece));
    const ended = once(child, 'exit').then(([code]) => code as number | null);
    onTestFinished(async () => {
      child.kill('SIGTERM');
      await ended;
    });
    return { process: child, said: () => text, ended };
  }
  const npmRun = (script: string, env: Record<string, string>) =>
    startPart('npm', ['run', '--silent', script], { HOME: process.env.HOME ?? '', ...env });

  async function newEnvironment(): Promise<Record<string, string>> {
    const dataDir = await mkdtemp(join(tmpdir(), 'edgewise parts '));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const corePort = String(await freePort());
    return {
      PORT: String(await freePort()),
      CORE_PORT: corePort,
      EDGEWISE_CORE_URL: `http://127.0.0.1:${corePort}`,
      EDGEWISE_DATA: dataDir,
      EDGEWISE_DATABASE_DIR: join(dataDir, 'postgres'),
      EDGEWISE_SERVICE_SECRET: 'a secret of the tests, of 32 characters',
      EDGEWISE_JWT_SECRET: 'a secret of the tests, of 32 characters',
      EDGEWISE_GRACE_MS: '500',
    };
  }
  const health = (port: string | undefined) =>
    fetch(`http://127.0.0.1:${port}/healthz`).then(
      (answer) => answer.json() as Promise<{ status: string; core?: { status: string } }>,
      () => undefined,
    );
  const expectFree = async (port: string | undefined) =>
    expect.poll(() => refusesConnections(port), { timeout: 8000 }).toBe(true);

  test('npm run core and npm run edge answer together, and SIGTERM ends them', async () => {
    const env = await newEnvironment();
    const core = npmRun('core', env);
    const edge = npmRun('edge', env);
    await expect
      .poll(() => health(env.PORT), { timeout: 20_000 })
      .toMatchObject({ status: 'ok', core: { status: 'ok' } });
    edge.process.kill('SIGTERM');
    core.process.kill('SIGTERM');
    await Promise.all([edge.ended, core.ended]);
    await expectFree(env.PORT);
    await expectFree(env.CORE_PORT);
  });

  test.each([
    ['npm run edge', (env: Record<string, string>) => npmRun('edge', env)],
    ['its process', (env: Record<string, string>) => startPart(process.execPath, ['infra/cli/edge.ts'], env)],
  ])('SIGKILL of %s leaves no workerd, and the next start gets the port', async (_name, startEdge) => {
    const env = await newEnvironment();
    const edge = startEdge(env);
    await expect.poll(() => health(env.PORT), { timeout: 20_000 }).toBeDefined();
    edge.process.kill('SIGKILL');
    await edge.ended;
    await expectFree(env.PORT);
    const again = startEdge(env);
    await expect.poll(() => health(env.PORT), { timeout: 20_000 }).toBeDefined();
    again.process.kill('SIGTERM');
    await again.ended;
    await expectFree(env.PORT);
  });

  test('SIGTERM ends the edge in time, although a request is open', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const env = await newEnvironment();
    env.EDGEWISE_CORE_URL = `http://127.0.0.1:${port}`;
    const edge = startPart(process.execPath, ['infra/cli/edge.ts'], env);
    await expect.poll(() => refusesConnections(env.PORT), { timeout: 20_000 }).toBe(false);
    const asked = once(silent, 'connection');
    void health(env.PORT);
    await asked;
    const startMs = Date.now();
    edge.process.kill('SIGTERM');
    expect(await edge.ended).toBe(0);
    expect(Date.now() - startMs).toBeLessThan(4000);
  });

  test('the edge names what it lacks, and a part that cannot start ends with 1', async () => {
    const edge = npmRun('edge', {});
    expect(await edge.ended).toBe(1);
    expect(edge.said().trim()).toBe(
      'EDGEWISE_CORE_URL and EDGEWISE_SERVICE_SECRET must be set for the edge.',
    );
    const bridge = npmRun('redis-rest', {});
    expect(await bridge.ended).toBe(1);
    expect(bridge.said()).toContain('REDIS_REST_TOKEN is missing');
  });

  test.skipIf(lacks('redis-server'))('npm run redis-rest answers until SIGTERM', async () => {
    const { redis, stop } = await startRedis();
    onTestFinished(stop);
    const port = String(await freePort());
    const bridge = npmRun('redis-rest', {
      REDIS_URL: `redis://127.0.0.1:${redis.options.port}`,
      REDIS_REST_TOKEN: 'a-token',
      REDIS_REST_PORT: port,
    });
    await expect.poll(bridge.said, { timeout: 10_000 }).toContain('redis-rest listens');
    const answer = await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      headers: { authorization: 'Bearer a-token' },
      body: JSON.stringify(['ECHO', 'hello']),
    });
    expect(await answer.json()).toEqual({ result: 'hello' });
    bridge.process.kill('SIGTERM');
    await bridge.ended;
    await expectFree(port);
  });
});
