import { signal } from '@preact/signals';
import { describe, expect, test, vi } from 'vitest';
import { EdgewiseError } from '../../../shared/client/edgewise-error.ts';
import type { Account } from '../account/account.ts';
import type { TokenKeeper } from '../account/token-keeper.ts';
import { createApi, jsonBody } from './api.ts';

function setUp(answers: (Response | Error)[], tokens = ['one', 'two']) {
  const account = signal<Account | undefined>({ kind: 'guest', accessToken: 'one' });
  const refused = vi.fn();
  const keeper = { account, token: async () => tokens.shift() ?? 'none', refused } as unknown as TokenKeeper;
  const ask = vi.fn<typeof fetch>(async () => {
    const answer = answers.shift();
    if (answer === undefined) throw new Error('one request too many');
    if (answer instanceof Error) throw answer;
    return answer;
  });
  return { api: createApi(keeper, ask), ask, account, refused };
}
const errorOf = (status: number, code: string) =>
  Response.json({ error: { message: 'No.', code } }, { status });

test('a request carries the token beside its own headers', async () => {
  const { api, ask } = setUp([Response.json({ ok: true })]);
  expect(await api.json('/v1/x', jsonBody('POST', { a: 1 }))).toEqual({ ok: true });
  const [path, init] = ask.mock.calls[0] ?? [];
  expect(path).toBe('/v1/x');
  expect(init).toMatchObject({ method: 'POST', body: '{"a":1}' });
  expect(Object.fromEntries(init?.headers as Headers)).toEqual({
    authorization: 'Bearer one',
    'content-type': 'application/json',
  });
});

describe('a token that is refused', () => {
  test('is renewed, and the request sent once more', async () => {
    const { api, ask, refused } = setUp([errorOf(401, 'token_expired'), Response.json({ ok: true })]);
    expect(await api.json('/v1/x')).toEqual({ ok: true });
    expect(refused.mock.calls).toEqual([['one']]);
    expect(ask.mock.calls.map(([, init]) => new Headers(init?.headers).get('authorization'))).toEqual([
      'Bearer one',
      'Bearer two',
    ]);
  });

  test('twice fails', async () => {
    const { api, ask } = setUp([errorOf(401, 'token_expired'), errorOf(401, 'invalid_token')]);
    await expect(api.request('/v1/x')).rejects.toMatchObject({ status: 401, code: 'invalid_token' });
    expect(ask).toHaveBeenCalledTimes(2);
  });

  test('of somebody who is signed out by it fails at once', async () => {
    const { api, ask, account, refused } = setUp([errorOf(401, 'invalid_token')]);
    refused.mockImplementation(() => {
      account.value = undefined;
    });
    await expect(api.request('/v1/x')).rejects.toMatchObject({ status: 401 });
    expect(ask).toHaveBeenCalledOnce();
  });
});

test('any other error is thrown as the server says it, without another try', async () => {
  const { api, ask } = setUp([errorOf(503, 'store_unavailable')]);
  const thrown = await api.request('/v1/x').catch((error) => error);
  expect(thrown).toBeInstanceOf(EdgewiseError);
  expect(thrown).toMatchObject({ message: 'No.', code: 'store_unavailable', status: 503, retryable: true });
  expect(ask).toHaveBeenCalledOnce();
});

test.each([404, 405])('what the server does not offer (%i) is undefined', async (status) => {
  expect(await setUp([errorOf(status, 'route_not_found')]).api.offered('/v1/x')).toBeUndefined();
});

test('a failure of what the server offers is thrown', async () => {
  await expect(setUp([errorOf(500, 'internal_error')]).api.offered('/v1/x')).rejects.toMatchObject({
    status: 500,
  });
});

describe('the history of a conversation', () => {
  test('is read page by page', async () => {
    const page = { messages: [], has_more: true };
    const { api, ask } = setUp([Response.json(page), Response.json(page)]);
    expect(await api.history('a/b', 20)).toEqual(page);
    await api.history('a/b', 20, 7);
    expect(ask.mock.calls.map(([path]) => path)).toEqual([
      '/v1/sessions/a%2Fb?limit=20',
      '/v1/sessions/a%2Fb?limit=20&before=7',
    ]);
  });

  test('that has not begun is empty', async () => {
    const { api } = setUp([errorOf(404, 'session_not_found')]);
    expect(await api.history('s', 20)).toEqual({ messages: [], has_more: false });
  });

  test('that cannot be read is an error, not an empty one', async () => {
    const { api } = setUp([errorOf(503, 'store_unavailable')]);
    await expect(api.history('s', 20)).rejects.toMatchObject({ status: 503 });
  });
});
