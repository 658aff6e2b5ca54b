/** API keys and the tokens they are exchanged for. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../local/settings.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let admin: string;
beforeAll(async () => {
  system = await startSystem({ env: { EDGEWISE_GUESTS: 'on' } });
  admin = await system.token({ sub: 'operator', tenant: 'acme', scope: 'admin grant' });
});
afterAll(() => system.stop());

async function call(method: string, path: string, token: string | undefined, body?: object) {
  const answer = await fetch(system.address + path, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      'content-type': 'application/json',
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: each test looks at what it asked for
  return { status: answer.status, body: (await answer.json()) as any };
}
const makeKey = async (more: object = {}) =>
  (await call('POST', '/v1/keys', admin, { name: 'back end', plan: 'pro', scopes: ['chat'], ...more })).body;
const chat = (token: string, more: object = {}) =>
  call('POST', '/v1/chat/completions', token, { messages: [{ role: 'user', content: 'hi' }], ...more });

describe('a key', () => {
  test('is made, shown once, lets in, and is listed without itself', async () => {
    const { key, ...record } = await makeKey();
    expect(key).toMatch(/^ew_[\w-]{43}$/);
    expect(record).toMatchObject({
      object: 'api_key',
      plan: 'pro',
      scopes: ['chat'],
      prefix: key.slice(0, 10),
    });
    expect((await chat(key)).status).toBe(200);
    const { body } = await call('GET', '/v1/keys', admin);
    expect(body.data.find(({ id }: { id: string }) => id === record.id)).toMatchObject({
      last_used_at: expect.any(Number),
    });
    expect(JSON.stringify(body)).not.toContain(key.slice(12));
  });

  test('is refused at once where it was revoked, and when it is none', async () => {
    const { key, id } = await makeKey();
    expect((await chat(key)).status).toBe(200);
    expect((await call('DELETE', `/v1/keys/${id}`, admin)).body.revoked_at).toEqual(expect.any(Number));
    expect(await chat(key)).toMatchObject({ status: 401, body: { error: { code: 'invalid_token' } } });
    expect((await chat(`ew_${'x'.repeat(43)}`)).status).toBe(401);
    expect((await call('DELETE', '/v1/keys/key_none', admin)).status).toBe(404);
  });

  test('that is revoked loses its sockets, and starts no turn', async () => {
    const { key, id } = await makeKey();
    const address = `${system.address.replace('http', 'ws')}/v1/sessions/of-a-key/ws`;
    const socket = new WebSocket(address, {
      headers: { authorization: `Bearer ${key}` },
    } as unknown as string[]);
    const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener('close', resolve));
    await new Promise((resolve) => socket.addEventListener('open', resolve));
    await call('DELETE', `/v1/keys/${id}`, admin);
    const callsBefore = system.upstream.calls.length;
    socket.send(JSON.stringify({ type: 'response.create', input: 'hi' }));
    expect(await closed).toMatchObject({ code: 4401, reason: 'the key is revoked' });
    expect(system.upstream.calls.length).toBe(callsBefore);
  });

  test('outlives a restart of edge and core', async () => {
    const { key } = await makeKey();
    await system.killCore();
    await system.restartCore();
    await system.killEdge();
    await system.restartEdge();
    expect((await chat(key)).status).toBe(200);
  });

  test('expires', async () => {
    const { key } = await makeKey({ expires_at: Math.floor(Date.now() / 1000) + 2 });
    expect((await chat(key)).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 2100));
    expect((await chat(key)).status).toBe(401);
    const past = await call('POST', '/v1/keys', admin, { name: 'x', expires_at: 1000 });
    expect(past).toMatchObject({ status: 400, body: { error: { param: 'expires_at' } } });
  });

  test('is for operators to make, and each tenant has its own', async () => {
    const { key, id } = await makeKey();
    expect((await call('POST', '/v1/keys', key, { name: 'mine' })).status).toBe(403);
    const other = await system.token({ sub: 'operator', tenant: 'other', scope: 'admin' });
    expect((await call('GET', '/v1/keys', other)).body.data).toEqual([]);
    expect((await call('DELETE', `/v1/keys/${id}`, other)).status).toBe(404);
    expect((await call('POST', '/v1/keys', admin, { plan: 'x' })).body.error).toMatchObject({
      param: 'name',
    });
  });
});

describe('a token for an end user', () => {
  const exchange = (key: string, more: object = {}) =>
    call('POST', '/v1/tokens', key, { user: 'zoe', ...more });

  test('is exchanged for a key, lets in as that user, and is renewed', async () => {
    const { key } = await makeKey();
    const { status, body } = await exchange(key, { scopes: ['chat'] });
    expect(status).toBe(200);
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 900 });
    await chat(body.access_token, { session_id: 'of-zoe' });
    expect((await call('GET', '/v1/sessions', body.access_token)).body.data).toHaveLength(1);
    expect((await call('GET', '/v1/sessions', key)).body.data).toHaveLength(0);
    const renewed = await call('POST', '/v1/tokens/refresh', undefined, {
      refresh_token: body.refresh_token,
    });
    expect((await call('GET', '/v1/sessions', renewed.body.access_token)).body.data).toHaveLength(1);
  });

  test('bound to a session reaches that one alone', async () => {
    const { key } = await makeKey();
    const { access_token: token } = (await exchange(key, { session_id: 'mine' })).body;
    expect((await chat(token, { session_id: 'mine' })).status).toBe(200);
    expect((await chat(token, { session_id: 'other' })).status).toBe(403);
    expect((await call('GET', '/v1/sessions', token)).status).toBe(403);
    expect((await call('POST', '/v1/responses', token, { input: 'x', conversation: 'other' })).status).toBe(
      403,
    );
    expect((await call('GET', '/v1/sessions/other', token)).status).toBe(403);
  });

  test('goes with its key', async () => {
    const { key, id } = await makeKey();
    const { access_token: token, refresh_token: refresh } = (await exchange(key)).body;
    expect((await chat(token)).status).toBe(200);
    await call('DELETE', `/v1/keys/${id}`, admin);
    expect((await chat(token)).status).toBe(401);
    expect((await call('POST', '/v1/tokens/refresh', undefined, { refresh_token: refresh })).status).toBe(
      401,
    );
  });

  test('has no more than its key, and is no key itself', async () => {
    const { key } = await makeKey();
    expect(await exchange(key, { scopes: ['admin'] })).toMatchObject({
      status: 403,
      body: { error: { param: 'scopes' } },
    });
    const { access_token: token } = (await exchange(key)).body;
    expect((await exchange(token)).status).toBe(403);
    expect((await exchange(await system.token())).status).toBe(403);
    expect((await exchange(key, { user: '' })).body.error).toMatchObject({ param: 'user' });
    expect((await call('POST', '/v1/tokens/refresh', undefined, { refresh_token: token })).status).toBe(401);
  });
});

test('a guest gets a token, and a name of their own', async () => {
  const [one, two] = await Promise.all([0, 1].map(() => call('POST', '/v1/tokens/guest', undefined)));
  await chat(one?.body.access_token, { session_id: 'guest' });
  expect((await call('GET', '/v1/sessions', one?.body.access_token)).body.data).toHaveLength(1);
  expect((await call('GET', '/v1/sessions', two?.body.access_token)).body.data).toHaveLength(0);
});

test('a guest stays who they are when the token is renewed', async () => {
  const first = (await call('POST', '/v1/tokens/guest', undefined)).body;
  await chat(first.access_token, { session_id: 'guest' });
  const renew = (token: string) => call('POST', '/v1/tokens/refresh', undefined, { refresh_token: token });
  const { status, body } = await renew(first.refresh_token);
  expect(status).toBe(200);
  expect(body.access_token).not.toBe(first.access_token);
  expect((await call('GET', '/v1/sessions', body.access_token)).body.data).toHaveLength(1);
  // What lets in does not renew, and what renews does not let in.
  expect((await renew(body.access_token)).status).toBe(401);
  expect((await chat(first.refresh_token)).status).toBe(401);
});

test('npm run key makes, lists and revokes', async () => {
  const run = promisify(execFile);
  const key = (...args: string[]) =>
    run(process.execPath, ['infra/cli/key.ts', ...args, '--url', system.address, '--token', admin], {
      cwd: projectRoot,
    });
  const made = (
    await key('create', '--name', 'from the shell', '--scope', 'chat admin', '--expires', '30d')
  ).stdout.trim();
  expect(made).toMatch(/^ew_[\w-]{43}$/);
  const line = (await key('list')).stdout.split('\n').find((text) => text.includes('from the shell')) ?? '';
  expect(line).toContain('chat admin  until 20');
  await key('revoke', line.split(' ')[0] ?? '');
  expect((await chat(made)).status).toBe(401);
  await expect(key('create')).rejects.toMatchObject({ stderr: expect.stringContaining('--name NAME') });
});
