import { describe, expect, test } from 'vitest';
import { importServiceKey, signServiceToken } from '../../shared/protocol/service-token.ts';
import { someContext } from '../../shared/testing/request-context.ts';
import { memoryRoute } from './memory-route.ts';
import { coreUnderTest, nowMs, SERVICE_SECRET } from './testing/core-under-test.ts';

const path = '/v1/memory';
const body = '{"recall_across_conversations":true}';
const changes: unknown[] = [];
const preferences = {
  recallsAcross: async () => true,
  setRecallAcross: async (owner: object, isOn: boolean) => void changes.push([owner, isOn]),
};
const core = coreUnderTest({ preferences }, (app, services) => app.patch(path, memoryRoute(services).change));

interface Signed {
  secret?: string;
  method?: string;
  path?: string;
  body?: string;
  atMs?: number;
}
function sign(signed: Signed = {}): Promise<string> {
  const call = { method: 'PATCH', path, body, ...signed };
  const context = someContext({ tenant: 'acme', user: 'ann' });
  return signServiceToken(
    importServiceKey(signed.secret ?? SERVICE_SECRET),
    context,
    call,
    signed.atMs ?? nowMs,
  );
}
const send = (authorization: string | undefined) =>
  core.request(path, { method: 'PATCH', body, headers: authorization ? { authorization } : {} });

describe('a call to /v1', () => {
  test('that is signed acts for the user whom the signature names', async () => {
    const response = await send(`Bearer ${await sign()}`);
    expect(response.status).toBe(200);
    expect(changes).toEqual([[{ tenant: 'acme', user: 'ann' }, true]]);
  });

  test.each<[string, Signed | undefined, string]>([
    ['no token', undefined, 'missing_token'],
    ['a token of another secret', { secret: 'x'.repeat(32) }, 'invalid_token'],
    ['a token for another method', { method: 'GET' }, 'invalid_token'],
    ['a token for another path', { path: '/v1/keys' }, 'invalid_token'],
    ['a token for another query', { path: `${path}?x=1` }, 'invalid_token'],
    ['a token for another body', { body: '{}' }, 'invalid_token'],
    ['a token that has expired', { atMs: nowMs - 66_000 }, 'token_expired'],
    ['a token of the future', { atMs: nowMs + 10_000 }, 'invalid_token'],
  ])('with %s returns 401 and changes nothing', async (_name, signed, code) => {
    const before = changes.length;
    const response = await send(signed && `Bearer ${await sign(signed)}`);
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ error: { code } });
    expect(changes).toHaveLength(before);
  });

  test.each(['Basic abc', 'Bearer', 'Bearer a b'])(
    'with the header "%s" has no token',
    async (authorization) => {
      expect(await (await send(authorization)).json()).toMatchObject({ error: { code: 'missing_token' } });
    },
  );

  test('with more than 32 MiB is refused before it is read, and a stranger’s for its signature alone', async () => {
    const headers = { 'content-length': String(32 * 1024 * 1024 + 1) };
    const stranger = await core.request('/v1/feedback', { method: 'POST', headers, body: 'x' });
    expect(stranger.status).toBe(401);
    const response = await core.call('POST', '/v1/feedback', { headers, body: 'x' });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ error: { code: 'request_too_large' } });
  });

  test('of a caller bound to a session reaches generations and models alone', async () => {
    const as = { session: 'its-own', scopes: ['admin'] };
    const response = await core.call('POST', '/v1/feedback', { body: {}, as });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { code: 'insufficient_scope' } });
  });
});
