/**
 * Security of every route. The routes are read from the router itself, so that a new one cannot be forgotten. The tests of
 * a route cover its own invalid input; this file covers what must hold everywhere.
 */
import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createApp } from './app.ts';
import { OWN_ISSUER } from './auth/own-tokens.ts';
import type { EdgeEnv } from './env.ts';
import { pageFiles } from './http/page-route.ts';
import { edgeServices } from './services.ts';

const bindings = env as unknown as EdgeEnv;
const app = createApp(edgeServices(bindings).app);

interface Route {
  method: string;
  path: string;
}
const routes: Route[] = [
  ...new Map(
    app.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => [`${method} ${path}`, { method, path }]),
  ).values(),
];
const named = (list: Route[]) => list.map((route) => [`${route.method} ${route.path}`, route] as const);
/** Routes without authentication, each with its reason. */
const open: ReadonlySet<string> = new Set([
  // It has a token of its own.
  'GET /metrics',
  'GET /healthz',
  'GET /readyz',
  'POST /v1/tokens/guest',
  'POST /v1/tokens/refresh',
  // People sign in on the page itself.
  ...Object.keys(pageFiles).map((path) => `GET ${path}`),
  'GET /assets/:name',
  'GET /page.json',
]);
const guarded = routes.filter(({ method, path }) => !open.has(`${method} ${path}`));
const forOperators = guarded.filter(({ path }) => /^\/v1\/(?:keys|cache)(?:\/|$)/.test(path));
// Routes of keys and users are for operators, and look up names within the operator's tenant only.
const ofSomething = guarded.filter(
  ({ path }) => path.includes(':id') && !/^\/v1\/(?:keys|users)\//.test(path),
);

const secret = new TextEncoder().encode(String(bindings.EDGEWISE_JWT_SECRET));
const nowS = Math.floor(Date.now() / 1000);
const goodClaims = { sub: 'alice', tenant: 'acme', iss: 'edgewise', aud: 'edgewise', exp: nowS + 600 };

function sign(
  claims: object = {},
  header: object = {},
  key: Uint8Array | CryptoKey = secret,
): Promise<string> {
  return new SignJWT({ ...goodClaims, ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', ...header })
    .sign(key);
}

interface Call {
  token?: string | undefined;
  body?: string | undefined;
  headers?: Record<string, string>;
  id?: string;
}
function call(
  { method, path }: Route,
  { token, body, headers = {}, id = 'some-id' }: Call,
): Promise<Response> {
  const init: RequestInit = {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
  };
  if (body !== undefined && method === 'POST') init.body = body;
  const address = `https://edge.test${path.replace(':id', encodeURIComponent(id))}`;
  return Promise.resolve(app.fetch(new Request(address, init), bindings, createExecutionContext()));
}
const script = (words: string[]) => JSON.stringify({ words, paceMs: 0, fails: false });
const codeOf = async (answer: Response) =>
  ((await answer.json()) as { error?: { code: string } }).error?.code ?? 'none';

/** Log lines and called hosts of the current test. */
const logged: string[] = [];
const called: string[] = [];
const { log, error } = console;
const realFetch = globalThis.fetch;
beforeEach(() => {
  logged.length = 0;
  called.length = 0;
  console.log = (...words) => void logged.push(words.join(' '));
  console.error = (...words) => void logged.push(words.join(' '));
  globalThis.fetch = (input, init) => {
    called.push(new URL(input instanceof Request ? input.url : String(input)).host);
    return realFetch(input, init);
  };
});
afterEach(() => {
  console.log = log;
  console.error = error;
  globalThis.fetch = realFetch;
});

test('the list of routes is plausible', () => {
  expect(routes.length).toBeGreaterThan(20);
  expect(forOperators.length).toBeGreaterThan(4);
  expect(ofSomething.length).toBeGreaterThan(8);
});

describe.each(named(guarded))('%s', (_name, route) => {
  test.each<[string, () => Promise<string | undefined> | string | undefined, string]>([
    ['no token', () => undefined, 'missing_token'],
    ['garbage', () => 'garbage', 'invalid_token'],
    ['three parts of garbage', () => 'a.b.c', 'invalid_token'],
    ['alg none', () => new UnsecuredJWT(goodClaims).encode(), 'invalid_token'],
    [
      'another algorithm',
      () => sign({}, { alg: 'HS512' }, new TextEncoder().encode('x'.repeat(64))),
      'invalid_token',
    ],
    ['another secret', () => sign({}, {}, new TextEncoder().encode('y'.repeat(32))), 'invalid_token'],
    ['another issuer', () => sign({ iss: 'https://evil.test' }), 'invalid_token'],
    [
      'our own issuer, without its secret',
      () => sign({ iss: OWN_ISSUER }, {}, new TextEncoder().encode('z'.repeat(32))),
      'invalid_token',
    ],
    ['another audience', () => sign({ aud: 'other' }), 'invalid_token'],
    ['a token of another type', () => sign({}, { typ: 'id_token+jwt' }), 'invalid_token'],
    ['an expired token', () => sign({ exp: nowS - 60 }), 'token_expired'],
    ['a token that is not yet valid', () => sign({ nbf: nowS + 3600 }), 'invalid_token'],
    ['a truncated signature', async () => (await sign()).slice(0, -2), 'invalid_token'],
    ['an unknown key', () => `ew_${'x'.repeat(43)}`, 'invalid_token'],
  ])('refuses %s', async (_what, token, code) => {
    const answer = await call(route, { token: await token(), body: '{}' });
    // The core checks a key; the core of these tests has none.
    expect(answer.status).toBe(401);
    expect(await codeOf(answer)).toBe(code);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /);
  });

  test('follows no address that a token names (jku, x5u, jwk)', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    const token = await sign(
      {},
      { alg: 'ES256', jku: 'https://evil.test/keys', x5u: 'https://evil.test/cert', jwk, kid: '../../evil' },
      privateKey,
    );
    expect((await call(route, { token })).status).toBe(401);
    expect(called).not.toContain('evil.test');
  });
});

describe.each(named(forOperators))('%s', (_name, route) => {
  test('is for operators alone', async () => {
    for (const scope of ['', 'chat', 'administrator', 'ADMIN']) {
      const answer = await call(route, { token: await sign({ scope }), body: '{}' });
      expect(answer.status).toBe(403);
      expect(await codeOf(answer)).toBe('insufficient_scope');
    }
  });
});

/** All that a token bound to a session may call; each but the first compares the session that it is about. */
const ofOneSession: ReadonlySet<string> = new Set([
  'GET /v1/models',
  'POST /v1/chat/completions',
  'POST /v1/responses',
  'GET /v1/responses/:id',
  'DELETE /v1/responses/:id',
  'POST /v1/responses/:id/cancel',
  'GET /v1/responses/:id/input_items',
  'GET /v1/sessions/:id',
  'DELETE /v1/sessions/:id',
  'GET /v1/sessions/:id/stream',
  'POST /v1/sessions/:id/stop',
  'POST /v1/sessions/:id/forget',
  'GET /v1/sessions/:id/ws',
  'POST /api/chat',
  'GET /api/chat/:id/stream',
]);

describe.each(named(guarded))('a token bound to a session, at %s', (name, route) => {
  const other = 'another-session';
  const body = JSON.stringify({
    id: other,
    session_id: other,
    conversation: other,
    input: 'x',
    messages: [
      { id: 'm', role: 'user', content: script(['x']), parts: [{ type: 'text', text: script(['x']) }] },
    ],
  });
  const id = route.path.startsWith('/v1/responses/') ? `resp_${'0'.repeat(32)}_${other}` : other;

  test('reaches no other session and nothing else of its user', async () => {
    const token = await sign({ session: 'its-own', scope: 'admin batch grant' });
    const answer = await call(route, { token, body, id, headers: { upgrade: 'websocket' } });
    if (name === 'GET /v1/models') return expect(answer.status).toBe(200);
    expect(answer.status).toBe(403);
    expect(await codeOf(answer)).toBe('insufficient_scope');
  });

  test.runIf(!ofOneSession.has(name))('is refused also for its own session', async () => {
    const token = await sign({ session: other, scope: 'admin batch grant' });
    const answer = await call(route, { token, body, id });
    expect(answer.status).toBe(403);
    await answer.body?.cancel();
  });

  test.runIf(ofOneSession.has(name))('reaches its own', async () => {
    const token = await sign({ session: other, scope: 'admin batch grant' });
    const answer = await call(route, { token, body, id });
    expect(answer.status).not.toBe(403);
    await answer.body?.cancel();
  });
});

describe.each(named(routes.filter(({ method }) => method === 'POST')))('%s', (_name, route) => {
  test.each<[string, string, Record<string, string>]>([
    ['invalid JSON', '{"a"', {}],
    ['a list', '[]', {}],
    ['null', 'null', {}],
    ['duplicate names', '{"messages":[],"messages":[],"input":1,"input":2,"x":1,"x":2}', {}],
    ['deep lists', `{"messages":${'['.repeat(5000)}${']'.repeat(5000)}}`, {}],
    ['deep objects', `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`, {}],
    ['a form', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['a too large body', `{"messages":"${'x'.repeat(1_100_000)}"}`, {}],
    ['a name of the prototype', '{"__proto__":{"admin":true},"constructor":{"prototype":{}}}', {}],
  ])('answers %s with a client error', async (_what, body, headers) => {
    const answer = await call(route, { token: await sign({ scope: 'admin batch' }), body, headers });
    // Some routes need no body.
    if (answer.status >= 400) expect(answer.status).toBeLessThan(500);
    else
      expect(['POST /v1/tokens/guest', 'POST /v1/sessions/:id/stop']).toContain(
        `${route.method} ${route.path}`,
      );
    await answer.body?.cancel();
  });
});

describe('another user’s data', () => {
  const canary = 'the-canary-sings-in-alices-session';
  let turnId: string;
  let responseId: string;
  beforeAll(async () => {
    const token = await sign({ scope: 'admin' });
    const chat = { method: 'POST', path: '/v1/chat/completions' };
    const turn = await call(chat, {
      token,
      // The core of these tests answers with the words in the prompt.
      body: JSON.stringify({ messages: [{ role: 'user', content: script([canary]) }], session_id: 'alices' }),
    });
    turnId = ((await turn.json()) as { id: string }).id.replace('chatcmpl-', '');
    responseId = `resp_${turnId}_alices`;
  });

  test.each(named(ofSomething))('is not reached by %s', async (_name, route) => {
    const id = route.path.includes('responses') ? responseId : 'alices';
    for (const other of [{ sub: 'bob' }, { tenant: 'other' }, { sub: 'acme', tenant: 'alice' }]) {
      const answer = await call(route, {
        token: await sign({ ...other, scope: 'admin batch' }),
        id,
        body: '{}',
      });
      expect([204, 400, 404, 410, 426]).toContain(answer.status);
      expect(await answer.text()).not.toContain(canary);
    }
    const mine = await call(
      { method: 'GET', path: '/v1/sessions/:id' },
      { token: await sign(), id: 'alices' },
    );
    expect(await mine.text()).toContain(canary);
  });

  test('is not reached by a cursor, a previous response or a conversation id', async () => {
    const token = await sign({ sub: 'bob' });
    const post = (path: string, body: object) =>
      call({ method: 'POST', path }, { token, body: JSON.stringify(body) });
    const answers = await Promise.all([
      post('/v1/responses', { input: 'x', previous_response_id: responseId }),
      post('/v1/responses', { input: 'x', conversation: 'alices' }),
      post('/v1/chat/completions', {
        messages: [{ role: 'user', content: 'what did I say?' }],
        session_id: 'alices',
      }),
      call(
        { method: 'GET', path: '/v1/sessions/:id/stream' },
        { token, id: 'alices', headers: { 'last-event-id': `${turnId}:0` } },
      ),
    ]);
    for (const answer of answers) expect(await answer.text()).not.toContain(canary);
  });

  test('a WebSocket from another origin is refused', async () => {
    const route = { method: 'GET', path: '/v1/sessions/:id/ws' };
    const headers = { upgrade: 'websocket', origin: 'https://evil.test' };
    const answer = await call(route, { token: await sign(), id: 'alices', headers });
    expect(answer.status).toBe(403);
  });
});

describe('nothing leaks', () => {
  const canary = 'canary7d1f9secret';
  const everything = JSON.stringify({
    messages: [{ role: 'user', content: canary, name: canary }],
    input: canary,
    instructions: canary,
    question: canary,
    system: canary,
    name: canary,
    user: canary,
    model: canary,
    base_url: `https://evil.test/${canary}`,
    url: 'https://evil.test',
    api_key: canary,
    refresh_token: canary,
    metadata: { note: canary },
    paraphrases: [canary],
    turn_id: canary,
  });

  test.each(named(routes))('from a secret or a prompt by %s', async (_name, route) => {
    const headers = {
      'x-api-key': canary,
      'x-upstream-url': 'https://evil.test',
      cookie: canary,
      'user-agent': canary,
    };
    for (const token of [await sign({ scope: 'admin' }), `ew_${canary}`, canary, undefined]) {
      const answer = await call(route, { token, body: everything, headers, id: canary });
      const text = await answer.text();
      // A model's answer may repeat the prompt; an error must not.
      if (answer.status >= 400) expect(text).not.toContain(canary);
      expect(JSON.stringify([...answer.headers])).not.toContain(canary);
    }
    expect(logged.join('\n')).not.toContain(canary);
    expect(called).not.toContain('evil.test');
  });

  test.each(named(routes))('and %s has the security headers', async (_name, route) => {
    const answer = await call(route, { token: await sign(), body: '{}' });
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(answer.headers.get('strict-transport-security')).toContain('max-age=');
    expect(answer.headers.get('cache-control')).toMatch(/no-store|no-cache/);
    expect(answer.headers.get('x-request-id')).toMatch(/^[\w.-]+$/);
    await answer.body?.cancel();
  });
});
