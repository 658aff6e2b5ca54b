/** What the edge answers to requests that are wrong: precise, in OpenAI's form, and never a 500. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type System, startSystem } from './system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem({
    env: {
      EDGEWISE_CORS_ORIGINS: 'https://app.example.com',
      EDGEWISE_BODY_TIMEOUT_MS: '500',
      EDGEWISE_CACHE: 'on',
    },
  });
});
afterAll(() => system.stop());

const json = { 'content-type': 'application/json' };
const post = (body: string, headers: Record<string, string> = json) =>
  system.request('/v1/chat/completions', { method: 'POST', body, headers });
const user = { role: 'user', content: 'hi' };

test.each<[string, string, number, string, string | null]>([
  ['no JSON', '{"messages": [', 400, 'invalid_json', null],
  ['an empty body', '', 400, 'invalid_json', null],
  ['a list', '[]', 400, 'missing_required_parameter', 'messages'],
  ['no messages', '{}', 400, 'missing_required_parameter', 'messages'],
  ['empty messages', '{"messages":[]}', 400, 'invalid_value', 'messages'],
  [
    'an unknown role',
    JSON.stringify({ messages: [{ role: 'robot', content: 'x' }] }),
    400,
    'invalid_value',
    'messages[0].role',
  ],
  [
    'a part without a type',
    JSON.stringify({ messages: [{ role: 'user', content: [{ text: 'x' }] }] }),
    400,
    'missing_required_parameter',
    'messages[0].content[0].type',
  ],
  [
    'a temperature that is text',
    JSON.stringify({ messages: [user], temperature: 'hot' }),
    400,
    'invalid_type',
    'temperature',
  ],
  [
    'a temperature that is too high',
    JSON.stringify({ messages: [user], temperature: 3 }),
    400,
    'invalid_value',
    'temperature',
  ],
  ['n = 3', JSON.stringify({ messages: [user], n: 3 }), 400, 'unsupported_value', 'n'],
  [
    'a bad session id',
    JSON.stringify({ messages: [user], session_id: 'a/b' }),
    400,
    'invalid_value',
    'session_id',
  ],
  ['an unknown model', JSON.stringify({ messages: [user], model: 'nope' }), 404, 'model_not_found', 'model'],
  ['too deep a nesting', `{"messages":${'['.repeat(100)}${']'.repeat(100)}}`, 400, 'invalid_value', null],
])('%s', async (_name, body, status, code, param) => {
  const response = await post(body);
  expect(response.status).toBe(status);
  expect(await response.json()).toEqual({
    error: {
      message: expect.any(String),
      type: 'invalid_request_error',
      param: param ?? (null as unknown),
      code,
      request_id: response.headers.get('x-request-id'),
    },
  });
  expect(response.headers.get('x-should-retry')).toBe('false');
});

test('an unknown model in a session is refused before anything is stored', async () => {
  const response = await system.chat('hi', { model: 'nope' }, { 'x-session-id': 'unknown-model' });
  expect(response.status).toBe(404);
  expect((await system.request('/v1/sessions/unknown-model')).status).toBe(404);
});

test('a body over the limit is 413, with and without its length told', async () => {
  const large = JSON.stringify({ messages: [{ role: 'user', content: 'x'.repeat(1024 * 1024) }] });
  expect((await post(large)).status).toBe(413);
  const stream = new Blob([large]).stream();
  const unarchived = await system.request('/v1/chat/completions', {
    method: 'POST',
    body: stream,
    headers: json,
    duplex: 'half',
  } as RequestInit);
  expect(unarchived.status).toBe(413);
});

describe('a body that is UTF-8, or not', () => {
  const ask = (content: Uint8Array) => {
    const [before, after] = JSON.stringify({ messages: [{ role: 'user', content: '\u0000' }] }).split(
      '\\u0000',
    );
    const body = Buffer.concat([Buffer.from(before ?? ''), content, Buffer.from(after ?? '')]);
    return system.request('/v1/chat/completions', { method: 'POST', body, headers: json });
  };

  test.each([
    ['a byte that begins nothing', [0xff]],
    ['a character that is cut off', [0xe4, 0xbd]],
    ['half of a pair', [0xed, 0xa0, 0x80]],
    ['such a byte beside a replacement character', [0xef, 0xbf, 0xbd, 0x80]],
  ])('%s is refused', async (_name, bytes) => {
    const response = await ask(Uint8Array.from(bytes));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { code: 'invalid_json', message: 'The request body is not valid UTF-8.' },
    });
  });

  test.each([
    ['a replacement character', '\ufffd'],
    ['characters of every length', 'aé你😀'],
  ])('%s is taken', async (_name, text) => {
    expect((await ask(Buffer.from(text))).status).toBe(200);
  });

  test('a byte order mark is taken off', async () => {
    const body = `\ufeff${JSON.stringify({ messages: [{ role: 'user', content: '\ufffd' }] })}`;
    expect((await post(body)).status).toBe(200);
  });
});

test('another content type is 415', async () => {
  expect((await post('{}', { 'content-type': 'text/xml' })).status).toBe(415);
});

test('a wrong method is 405 and says which are right; a wrong address is 404', async () => {
  const wrong = await system.request('/v1/chat/completions', { method: 'PUT' });
  expect(wrong.status).toBe(405);
  expect(wrong.headers.get('allow')).toBe('POST');
  expect((await system.request('/v1/nothing')).status).toBe(404);
  expect((await system.request('/nothing')).status).toBe(404);
});

describe('a token', () => {
  const ask = (authorization: string) => system.request('/v1/models', { headers: { authorization } });

  test('that is missing, wrong or expired is 401 with a challenge', async () => {
    const missing = await fetch(`${system.address}/v1/models`);
    expect(missing.status).toBe(401);
    expect(missing.headers.get('www-authenticate')).toBe('Bearer realm="edgewise"');
    expect(await missing.json()).toMatchObject({
      error: { code: 'missing_token', type: 'invalid_request_error' },
    });

    const wrong = await ask('Bearer abc.def.ghi');
    expect(wrong.status).toBe(401);
    expect(wrong.headers.get('www-authenticate')).toContain('error="invalid_token"');

    const expired = await ask(`Bearer ${await system.token({ expires: '60s ago' })}`);
    expect(await expired.json()).toMatchObject({
      error: { code: 'token_expired' },
    });
    expect(expired.status).toBe(401);
  });

  test('for another audience or from another issuer is 401', async () => {
    expect((await ask(`Bearer ${await system.token({ audience: 'other' })}`)).status).toBe(401);
    expect((await ask(`Bearer ${await system.token({ issuer: 'other' })}`)).status).toBe(401);
  });
});

test('CORS lets in the configured origin and no other', async () => {
  const preflight = (origin: string) =>
    fetch(`${system.address}/v1/chat/completions`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      },
    });
  const ours = await preflight('https://app.example.com');
  expect(ours.status).toBe(204);
  expect(ours.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
  const theirs = await preflight('https://evil.example.com');
  expect(theirs.headers.get('access-control-allow-origin')).toBeNull();
  for (const method of ['POST', 'PATCH', 'DELETE'])
    expect(ours.headers.get('access-control-allow-methods')).toContain(method);
});

test('an answer to an allowed origin has the headers of all answers, asked or remembered', async () => {
  for (const outcome of ['miss', 'hit']) {
    const { headers } = await system.chat('What is shown to all?', {}, { origin: 'https://app.example.com' });
    expect(headers.get('x-edgewise-cache')).toBe(outcome);
    expect(headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers.get('server-timing')).toMatch(/^route;.*, auth;dur=/);
  }
});

test("the client's request id is taken when it is a plain word, and replaced otherwise", async () => {
  const named = await system.request('/v1/models', { headers: { 'x-request-id': 'mine-1' } });
  expect(named.headers.get('x-request-id')).toBe('mine-1');
  const odd = await system.request('/v1/models', { headers: { 'x-request-id': 'a b"c' } });
  expect(odd.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});

test('a body that never ends is given up', async () => {
  const { hostname, port } = new URL(system.address);
  const socket = connect(Number(port), hostname);
  const said: Buffer[] = [];
  socket.on('data', (bytes) => said.push(bytes));
  socket.write(
    [
      'POST /v1/chat/completions HTTP/1.1',
      `host: ${hostname}`,
      `authorization: Bearer ${await system.token()}`,
      'content-type: application/json',
      'content-length: 1000',
      '\r\n{"messages":',
    ].join('\r\n'),
  );
  await expect.poll(() => Buffer.concat(said).toString(), { timeout: 5000 }).toContain('request_timeout');
  expect(Buffer.concat(said).toString()).toMatch(/^HTTP\/1.1 408 /);
  socket.destroy();
});

test('a flood of headers hurts nobody else', async () => {
  const headers = Object.fromEntries(
    Array.from({ length: 2000 }, (_, index) => [`x-flood-${index}`, 'x'.repeat(500)]),
  );
  const flooded = await system.request('/v1/models', { headers }).catch(() => undefined);
  expect(flooded === undefined || flooded.status >= 400).toBe(true);
  expect((await system.request('/v1/models')).status).toBe(200);
});
