/**
 * The contents of the images run: the files that the last stages copy, with production's packages, in a folder of their
 * own. No container is built here; see infra/README.md.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseCopy, parseDockerfile, parseEnv } from '../deploy/docker/dockerfile.ts';
import { freePort } from '../local/ports.ts';
import { projectRoot } from '../local/settings.ts';
import { defaultClaims, signLocalToken } from '../local/token.ts';

const SECRET = 'a secret of the tests, of 32 characters';
const dir = mkdtempSync(join(tmpdir(), 'edgewise-images-'));
const running: ReturnType<typeof spawn>[] = [];
afterAll(async () => {
  for (const child of running) {
    if (child.exitCode !== null) continue;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  rmSync(dir, { recursive: true, force: true });
});

/** The folder `/app` of an image, its environment and its command. */
function unpack(name: string): { app: string; env: Record<string, string>; command: string[] } {
  const app = join(dir, name, 'app');
  mkdirSync(app, { recursive: true });
  const stage = parseDockerfile(
    readFileSync(join(projectRoot, `infra/deploy/docker/${name}.Dockerfile`), 'utf8'),
  ).at(-1);
  const env: Record<string, string> = {};
  let command: string[] = [];
  for (const { name: instruction, text } of stage?.instructions ?? []) {
    if (instruction === 'ENV') Object.assign(env, parseEnv(text));
    if (instruction === 'CMD') command = JSON.parse(text);
    if (instruction !== 'COPY') continue;
    const { sources, target } = parseCopy(text);
    for (const source of sources) {
      if (source === '/app/node_modules') linkPackages(join(app, 'node_modules'));
      if (source.startsWith('/') && source !== '/app/dist') continue;
      const from = join(projectRoot, source.replace('/app/', ''));
      const to = target.endsWith('/') ? join(app, target, basename(source)) : join(app, target);
      mkdirSync(dirname(to), { recursive: true });
      cpSync(from, to, {
        recursive: true,
        filter: (path) => !/\.(?:test|contract)\.ts$|\/fixtures/.test(path),
      });
    }
  }
  return { app, env, command };
}

/** As `npm ci --omit=dev` would leave it. */
function linkPackages(folder: string): void {
  const { packages } = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean; optional?: boolean }>;
  };
  for (const [path, { dev, devOptional }] of Object.entries(packages)) {
    const place = path.replace('node_modules/', '');
    if (path === '' || dev || devOptional || place.includes('node_modules/')) continue;
    mkdirSync(dirname(join(folder, place)), { recursive: true });
    symlinkSync(join(projectRoot, path), join(folder, place));
  }
}

function start(image: ReturnType<typeof unpack>, more: Record<string, string>): ReturnType<typeof spawn> {
  const [, ...args] = image.command;
  const child = spawn(process.execPath, args, {
    cwd: image.app,
    env: { PATH: process.env.PATH, ...image.env, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  return child;
}

async function untilWell(url: string): Promise<{ core?: { status: string } }> {
  for (const endMs = Date.now() + 20_000; Date.now() < endMs; ) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return answer.json() as Promise<{ core?: { status: string } }>;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} did not answer in time`);
}

/** Every file below, with those of linked packages left out. */
const filesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();

let core: ReturnType<typeof unpack>;
let corePort: number;
beforeAll(async () => {
  core = unpack('core');
  corePort = await freePort();
});

test('the core runs from its image and writes only to its volume', async () => {
  const before = filesOf(core.app);
  start(core, {
    CORE_HOST: '127.0.0.1',
    CORE_PORT: String(corePort),
    EDGEWISE_DATABASE_DIR: join(dir, 'core/data/postgres'),
    EDGEWISE_SERVICE_SECRET: SECRET,
  });
  expect(await untilWell(`http://127.0.0.1:${corePort}/healthz`)).toMatchObject({ status: 'ok' });
  expect(filesOf(core.app)).toEqual(before);
});

test('the image of the core can run migrations', async () => {
  const child = start(
    { ...core, command: ['node', 'infra/cli/migrate.ts'] },
    { DATABASE_URL: 'postgres://edgewise@127.0.0.1:9/none' },
  );
  let said = '';
  child.stderr?.on('data', (bytes) => {
    said += bytes;
  });
  const [code] = await once(child, 'close');
  // The command starts and reaches the network.
  expect(said).toContain('The tables could not be brought up to date');
  expect(said).toContain('ECONNREFUSED');
  expect(code).toBe(1);
});

test('the edge runs from its image, answers, writes only to its volume, and ends on SIGTERM', async () => {
  const edge = unpack('edge');
  const before = filesOf(edge.app);
  const port = await freePort();
  const child = start(edge, {
    EDGE_HOST: '127.0.0.1',
    PORT: String(port),
    EDGEWISE_DATA: join(dir, 'edge/data'),
    WORKERD_PATH: join(projectRoot, 'node_modules/workerd/bin/workerd'),
    EDGEWISE_CORE_URL: `http://127.0.0.1:${corePort}`,
    EDGEWISE_SERVICE_SECRET: SECRET,
    EDGEWISE_JWT_SECRET: SECRET,
  });
  const health = await untilWell(`http://127.0.0.1:${port}/healthz`);
  expect(health.core?.status).toBe('ok');
  const token = await signLocalToken(SECRET, { ...defaultClaims, sub: 'alice' });
  const answer = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-session-id': 's' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'What is Edgewise?' }] }),
  });
  expect(answer.status).toBe(200);
  expect(filesOf(edge.app)).toEqual(before);
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
});

test('the edge names missing variables', async () => {
  const child = start(unpack('edge'), {});
  let said = '';
  child.stderr?.on('data', (bytes) => {
    said += bytes;
  });
  await once(child, 'close');
  expect(said).toContain('EDGEWISE_CORE_URL and EDGEWISE_SERVICE_SECRET must be set');
});
