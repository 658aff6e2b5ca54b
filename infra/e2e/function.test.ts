/** The core as one file, as a function's platform gets it: it runs with no packages beside it, and answers signed calls. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createCoreCall } from '../../edge/core-client/core-call.ts';
import { createCoreRegions } from '../../edge/core-client/core-regions.ts';
import { importServiceKey } from '../../shared/protocol/service-token.ts';
import { someContext } from '../../shared/testing/request-context.ts';
import { projectRoot } from '../local/settings.ts';

const SECRET = 'a service secret of the tests, long enough';
type Core = {
  fetch: (request: Request) => Promise<Response>;
  handler: (event: object) => Promise<{ statusCode: number }>;
};

let dir: string;
let core: Core;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'edgewise-function-'));
  const build = join(projectRoot, 'infra/cli/build-function.ts');
  await promisify(execFile)(process.execPath, [build, '--out', dir], { cwd: projectRoot });
  vi.stubEnv('EDGEWISE_SERVICE_SECRET', SECRET);
  vi.stubEnv('EDGEWISE_MODELS_FILE', join(dir, 'models.toml'));
  vi.stubEnv('EDGEWISE_KNOWLEDGE_DIR', join(dir, 'knowledge'));
  vi.stubEnv('DATABASE_URL', 'postgres://edgewise@127.0.0.1:9/none');
  core = (await import(/* @vite-ignore */ pathToFileURL(join(dir, 'index.mjs')).href)) as Core;
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true, force: true });
});

test('it is a folder of its own', async () => {
  const names = await readdir(dir);
  expect(names).toContain('index.mjs');
  expect(names).not.toContain('node_modules');
});

test('an event of a function URL is answered', async () => {
  const event = {
    version: '2.0',
    rawPath: '/healthz',
    rawQueryString: '',
    headers: { host: 'core.test' },
    requestContext: { http: { method: 'GET', path: '/healthz' }, domainName: 'core.test' },
    isBase64Encoded: false,
  };
  expect((await core.handler(event)).statusCode).toBe(200);
});

test('a signed call is answered word by word, an unsigned one is not', async () => {
  const ask: typeof fetch = (input, init) => core.fetch(new Request(String(input), init));
  const call = createCoreCall({
    regions: createCoreRegions({
      urls: ['http://core.test'],
      fetch: ask,
      now: Date.now,
      defer: () => undefined,
    }),
    serviceKey: importServiceKey(SECRET),
    now: Date.now,
  });
  const context = someContext({ plan: 'p', deadlineMs: Date.now() + 60_000 });
  const body = JSON.stringify({
    id: 'g1',
    model: 'smart',
    messages: [{ role: 'user', content: 'What is Edgewise?' }],
    params: {},
    detached: false,
  });
  const answer = await call(context, { method: 'POST', path: '/v1/generations', body });
  const text = await answer.text();
  expect(text).toContain('edgewise-extractive');
  expect(text).toContain('turn-end');
  const unsigned = await core.fetch(new Request('http://core.test/v1/models'));
  expect(unsigned.status).toBe(401);
});
