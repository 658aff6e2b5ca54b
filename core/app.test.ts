import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeGenerationEvents, type GenerationRequest } from '../shared/protocol/generation-protocol.ts';
import { signServiceToken } from '../shared/protocol/service-token.ts';
import { someContext } from '../shared/testing/request-context.ts';
import { readAll } from '../shared/testing/streams.ts';
import { createApp } from './app.ts';
import { parseCoreEnv } from './env.ts';
import type { CoreHono } from './http/core-hono.ts';
import { type CoreServices, createCoreServices } from './services.ts';

const secret = 'a service secret of thirty-two bytes';
let services: CoreServices;
let app: Hono<CoreHono>;
beforeAll(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'edgewise-core-'));
  await writeFile(join(dir, 'models.toml'), '');
  const env = {
    EDGEWISE_SERVICE_SECRET: secret,
    EDGEWISE_MODELS_FILE: join(dir, 'models.toml'),
    OPENAI_API_KEY: 'x',
    EDGEWISE_METRICS_TOKEN: 'a-token-to-read-metrics',
    EDGEWISE_DATABASE_DIR: join(dir, 'postgres'),
  };
  // The serverless handlers read the environment of the process.
  process.env.EDGEWISE_DATABASE_DIR = join(dir, 'function');
  services = await createCoreServices(parseCoreEnv(env), env);
  app = createApp(services);
});
afterAll(() => services.close());

const context = someContext({ plan: 'p', deadlineMs: Date.now() + 60_000 });
async function send(method: string, path: string, body = ''): Promise<Response> {
  const token = await signServiceToken(
    services.config.serviceKey,
    context,
    { method, path, body },
    Date.now(),
  );
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return app.request(path, { method, headers, ...(body ? { body } : {}) });
}
const question = (id: string): GenerationRequest => ({
  id,
  model: 'auto',
  messages: [{ role: 'user', content: 'What is Edgewise?' }],
  params: {},
  detached: true,
});

test('a NUL character in a path or a query is an error that names the parameter', async () => {
  for (const [path, param] of [
    ['/v1/conversations?after=%00', 'after'],
    ['/v1/documents/doc_%00', 'path'],
    ['/v1/usage?by=day%00', 'by'],
  ] as const) {
    const response = await send('GET', path);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_value', param } });
  }
});

test('a body without a signature is refused before it is read', async () => {
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(65_536));
      },
    },
    { highWaterMark: 0 },
  );
  const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
  expect((await app.request('/v1/generations', init)).status).toBe(401);
  expect(pulled).toBe(0);
});

describe('a generation', () => {
  test('streams numbered events, and can be read again', async () => {
    const response = await send('POST', '/v1/generations', JSON.stringify(question('g1')));
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const events = await readAll(decodeGenerationEvents(response.body as ReadableStream<Uint8Array>));
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index));
    expect(events.at(-1)?.event.type).toBe('turn-end');
    const again = await send('GET', '/v1/generations/g1/events?after=3');
    expect(await readAll(decodeGenerationEvents(again.body as ReadableStream<Uint8Array>))).toEqual(
      events.slice(4),
    );
    expect(await (await send('POST', '/v1/generations/g1/cancel')).json()).toEqual({ status: 'finished' });
  });

  test.each<[string, string, string, number, string]>([
    ['no JSON', '/v1/generations', '{', 400, 'invalid_json'],
    ['a bad id', '/v1/generations', JSON.stringify({ ...question('a/b') }), 400, 'invalid_value'],
    [
      'no messages',
      '/v1/generations',
      JSON.stringify({ ...question('g2'), messages: undefined }),
      400,
      'missing_required_parameter',
    ],
    [
      'an unknown model',
      '/v1/generations',
      JSON.stringify({ ...question('g3'), model: 'x' }),
      404,
      'model_not_found',
    ],
  ])('with %s is refused', async (_name, path, body, status, code) => {
    const response = await send('POST', path, body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
  });

  test('that is not there is 404', async () => {
    const response = await send('GET', '/v1/generations/none/events?after=-1');
    expect(await response.json()).toMatchObject({ error: { code: 'generation_not_found' } });
  });
});

test('every route but the health checks wants a token', async () => {
  const open = app.routes.filter(
    ({ method, path }) => method !== 'ALL' && !/^\/(?:health|ready)z$/.test(path),
  );
  expect(open.length).toBeGreaterThan(3);
  for (const { method, path } of open) {
    const response = await app.request(path.replace(':id', 'x'), { method });
    expect([path, response.status]).toEqual([path, 401]);
  }
  expect((await app.request('/healthz')).status).toBe(200);
});

test('the health check says which models answer and why, and nothing else', async () => {
  const health = await (await app.request('/healthz')).json();
  expect(health).toEqual({
    status: 'ok',
    models_file: 'ok',
    models: [
      { id: 'edgewise-extractive', generative: false, reason: expect.stringContaining('no language model') },
    ],
  });
});

test('the serverless handlers serve the same app', async () => {
  process.env.EDGEWISE_SERVICE_SECRET = secret;
  process.env.OPENAI_API_KEY = 'x';
  const { fetch, handler } = await import('./function.ts');
  expect((await fetch(new Request('http://core.test/healthz'))).status).toBe(200);
  const event = {
    version: '2.0',
    routeKey: '$default',
    rawPath: '/healthz',
    rawQueryString: '',
    headers: { host: 'core.test' },
    isBase64Encoded: false,
    requestContext: { domainName: 'core.test', http: { method: 'GET', path: '/healthz' } },
  };
  const answer = await (
    handler as unknown as (event: object, context: object) => Promise<{ statusCode: number; body: string }>
  )(event, {});
  expect(answer.statusCode).toBe(200);
  expect(JSON.parse(answer.body)).toMatchObject({ status: 'ok' });
});
