import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { describe, expect, test } from 'vitest';
import { AppError, type AppErrorOptions, type ErrorCode } from '../../shared/errors.ts';
import type { EdgeHono } from './edge-hono.ts';
import { onError } from './on-error.ts';

async function answerTo(thrown: Error): Promise<Response> {
  const app = new Hono<EdgeHono>();
  app.use(async (c, next) => {
    c.set('requestId', 'req-1');
    await next();
    c.res.headers.set('x-noted', c.get('errorCode') ?? '');
  });
  app.get('/', () => {
    throw thrown;
  });
  app.onError(onError);
  return app.request('/');
}
const answerToCode = (code: ErrorCode, options: AppErrorOptions = {}) =>
  answerTo(new AppError(code, options));

test('an error becomes OpenAI’s error object with the request id, and is recorded for the log', async () => {
  const response = await answerToCode('invalid_value', { param: 'limit', message: 'Too much.' });
  expect(response.status).toBe(400);
  expect(await response.json()).toEqual({
    error: {
      message: 'Too much.',
      type: 'invalid_request_error',
      param: 'limit',
      code: 'invalid_value',
      request_id: 'req-1',
    },
  });
  expect(response.headers.get('x-noted')).toBe('invalid_value');
  expect(response.headers.get('cache-control')).toBe('no-store');
});

test.each([
  ['an unexpected error', new TypeError('https://secret.test')],
  ['a secret as a cause', new AppError('internal_error', { cause: new Error('https://secret.test') })],
  ['an exception of Hono', new HTTPException(418, { message: 'https://secret.test' })],
])('%s reveals no details', async (_name, thrown) => {
  const response = await answerTo(thrown);
  expect(response.status).toBe(500);
  const text = await response.text();
  expect(JSON.parse(text).error).toMatchObject({
    code: 'internal_error',
    message: 'Something went wrong on our side.',
  });
  expect(text + JSON.stringify([...response.headers])).not.toContain('secret');
});

describe('the time of a retry', () => {
  const headersOf = async (code: ErrorCode, options: AppErrorOptions = {}) => {
    const { headers } = await answerToCode(code, options);
    return ['x-should-retry', 'retry-after', 'retry-after-ms'].map((name) => headers.get(name));
  };

  test.each<[string, ErrorCode, AppErrorOptions, (string | null)[]]>([
    ['is a second by default', 'core_unavailable', {}, ['true', '1', '1000']],
    ['is rounded up to whole seconds', 'rate_limit_exceeded', { retryAfterMs: 1001 }, ['true', '2', '1001']],
    [
      'is at least one second in the header in seconds',
      'model_busy',
      { retryAfterMs: 5 },
      ['true', '1', '5'],
    ],
    [
      'is reported for an exhausted quota, with no automatic retry',
      'insufficient_quota',
      { retryAfterMs: 60_000 },
      ['false', '60', '60000'],
    ],
    ['is omitted when a retry cannot help', 'invalid_json', {}, ['false', null, null]],
    ['is omitted for an internal error', 'internal_error', {}, ['true', null, null]],
  ])('%s', async (_name, code, options, headers) => {
    expect(await headersOf(code, options)).toEqual(headers);
  });
});

describe('the challenge of a 401', () => {
  test.each<[ErrorCode, string | null]>([
    ['missing_token', 'Bearer realm="edgewise"'],
    [
      'token_expired',
      'Bearer realm="edgewise", error="invalid_token", error_description="The bearer token has expired."',
    ],
    ['insufficient_scope', null],
  ])('%s', async (code, challenge) => {
    expect((await answerToCode(code)).headers.get('www-authenticate')).toBe(challenge);
  });
});
