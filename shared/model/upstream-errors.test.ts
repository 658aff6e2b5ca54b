import { describe, expect, test } from 'vitest';
import { AppError, type ErrorCode } from '../errors.ts';
import {
  canRetrySoon,
  failureRule,
  isRequestFault,
  readUpstreamError,
  toConnectionError,
  toUpstreamError,
  type UpstreamFailure,
  upstreamPauseMs,
} from './upstream-errors.ts';

/** failure, our code, retryable, whether a ladder steps down, what the breaker learns */
type Row = [UpstreamFailure, ErrorCode, boolean, boolean, 'good' | 'failed' | 'unknown'];
const rows: Row[] = [
  [{ status: 307 }, 'upstream_error', false, true, 'failed'],
  [{ status: 400 }, 'upstream_rejected', false, false, 'good'],
  [{ status: 400, code: 'context_length_exceeded' }, 'context_length_exceeded', false, true, 'good'],
  [{ status: 400, type: 'exceed_context_size_error' }, 'context_length_exceeded', false, true, 'good'],
  [
    { status: 400, code: 400, message: "This model's maximum context length is 4096 tokens." },
    'context_length_exceeded',
    false,
    true,
    'good',
  ],
  [{ status: 401 }, 'upstream_auth_failed', false, true, 'failed'],
  [{ status: 402 }, 'upstream_quota_exhausted', false, true, 'good'],
  [{ status: 403 }, 'upstream_auth_failed', false, true, 'failed'],
  [{ status: 404 }, 'upstream_model_missing', false, true, 'good'],
  [{ status: 400, code: 'DeploymentNotFound' }, 'upstream_model_missing', false, true, 'good'],
  [{ status: 408 }, 'upstream_unavailable', true, true, 'failed'],
  [{ status: 409 }, 'upstream_error', true, true, 'failed'],
  [{ status: 413 }, 'context_length_exceeded', false, true, 'good'],
  [{ status: 422 }, 'upstream_rejected', false, false, 'good'],
  [{ status: 429 }, 'upstream_rate_limited', true, true, 'good'],
  [{ status: 429, code: 'insufficient_quota' }, 'upstream_quota_exhausted', false, true, 'good'],
  [{ status: 429, type: 'insufficient_quota' }, 'upstream_quota_exhausted', false, true, 'good'],
  [{ status: 500 }, 'upstream_error', true, true, 'failed'],
  [{ status: 500, type: 'overloaded_error' }, 'upstream_overloaded', true, true, 'failed'],
  [{ status: 502 }, 'upstream_error', true, true, 'failed'],
  [{ status: 503 }, 'upstream_overloaded', true, true, 'failed'],
  [{ status: 504 }, 'first_token_timeout', true, true, 'failed'],
  [{ status: 529 }, 'upstream_overloaded', true, true, 'failed'],
  [{}, 'upstream_error', true, true, 'failed'],
  [{ type: 'rate_limit_error' }, 'upstream_rate_limited', true, true, 'good'],
  [{ type: 'constructor' }, 'upstream_error', true, true, 'failed'],
];

test.each(rows)('%j is %s', (failure, code, retryable, stepsDown, breaker) => {
  expect(toUpstreamError(failure)).toMatchObject({ code, retryable });
  expect(failureRule(code)).toMatchObject({ stepsDown, breaker });
});

test.each<[Record<string, string>, number | undefined]>([
  [{ 'retry-after-ms': '1500' }, 1500],
  [{ 'retry-after': '2' }, 2000],
  [{ 'retry-after': '0.5' }, 500],
  [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:05 GMT' }, 4000],
  [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }, undefined],
  [{ 'retry-after': '99999999' }, 3_600_000],
  [{ 'retry-after': 'nonsense' }, undefined],
  [{}, undefined],
])('%j asks for a pause of %s ms', (headers, expected) => {
  const failure = { status: 429, headers: new Headers(headers) };
  expect(toUpstreamError(failure, { nowMs: 1000 }).retryAfterMs).toBe(expected);
});

test.each([
  [503, 'false', false],
  [503, 'true', true],
  [402, 'true', true],
  [400, 'true', false],
])('%i with x-should-retry: %s is retryable: %s', (status, value, expected) => {
  const headers = new Headers({ 'x-should-retry': value });
  expect(toUpstreamError({ status, headers }).retryable).toBe(expected);
});

test('only what a moment can change is retried soon', () => {
  const retries = (code: ErrorCode) => canRetrySoon(new AppError(code));
  expect(retries('upstream_overloaded')).toBe(true);
  for (const code of ['model_busy', 'shutting_down', 'deadline_exceeded', 'upstream_rejected'] as const)
    expect(retries(code)).toBe(false);
});

test('a rate limit without Retry-After still pauses the upstream', () => {
  expect(upstreamPauseMs({ code: 'upstream_rate_limited' })).toBe(1000);
  expect(upstreamPauseMs({ code: 'upstream_rate_limited', retryAfterMs: 70 })).toBe(70);
  expect(upstreamPauseMs({ code: 'upstream_overloaded', retryAfterMs: 70 })).toBeUndefined();
});

test('a request that is rejected or too long is at fault itself', () => {
  expect(isRequestFault('upstream_rejected')).toBe(true);
  expect(isRequestFault('context_length_exceeded')).toBe(true);
  expect(isRequestFault('upstream_error')).toBe(false);
});

describe('a connection', () => {
  const { signal } = new AbortController();
  test.each<[unknown, boolean, ErrorCode]>([
    [new TypeError('fetch failed'), false, 'upstream_unavailable'],
    [new TypeError('terminated'), true, 'upstream_cut'],
    [new SyntaxError('Unexpected token'), true, 'upstream_invalid'],
    [new AppError('upstream_overloaded'), false, 'upstream_overloaded'],
  ])('that fails with %s, open: %s, is %s', (thrown, isOpen, code) => {
    expect(toConnectionError(thrown, { signal, isOpen }).code).toBe(code);
  });

  test('that the caller aborts is cancelled', () => {
    const error = toConnectionError(new Error('x'), { signal: AbortSignal.abort(), isOpen: false });
    expect(error.code).toBe('cancelled');
  });
});

test('without a description nothing of a refusal is passed on', async () => {
  const error = { message: 'key-1', param: 'key-2', code: 'context_length_exceeded', type: 'key-3' };
  const info = (await readUpstreamError(Response.json({ error }, { status: 400 }))).toInfo();
  expect(info).toEqual({
    code: 'context_length_exceeded',
    message: 'The newest message does not fit the context window.',
    retryable: false,
  });
});

describe('the body of a refusal', () => {
  test.each<[string, unknown]>([
    [
      'nested',
      { error: { message: 'Too many tokens.', code: 'context_length_exceeded', param: 'messages' } },
    ],
    [
      'flat',
      { object: 'error', message: 'Too many tokens.', code: 'context_length_exceeded', param: 'messages' },
    ],
  ])('is understood when it is %s', async (_name, body) => {
    const describe = (failure: { message?: unknown; param?: unknown }) => ({
      message: String(failure.message),
      param: String(failure.param),
    });
    const response = Response.json(body, { status: 400 });
    expect(await readUpstreamError(response, { describe })).toMatchObject({
      code: 'context_length_exceeded',
      message: 'Too many tokens.',
      param: 'messages',
    });
  });

  test.each([['null'], ['[]'], ['{"error":null}'], ['{"error":"no"}'], ['<html>'], ['']])(
    'may be anything: %s',
    async (text) => {
      expect((await readUpstreamError(new Response(text, { status: 400 }))).code).toBe('upstream_rejected');
    },
  );

  test('is not read beyond its first kilobytes', async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent++;
        controller.enqueue(new Uint8Array(1024).fill(32));
      },
    });
    expect((await readUpstreamError(new Response(endless, { status: 503 }))).code).toBe(
      'upstream_overloaded',
    );
    expect(sent).toBeLessThan(20);
  });

  test('that breaks off leaves the status', async () => {
    const broken = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error('x')) });
    expect((await readUpstreamError(new Response(broken, { status: 404 }))).code).toBe(
      'upstream_model_missing',
    );
  });
});
