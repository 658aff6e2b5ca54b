import { describe, expect, test } from 'vitest';
import { AppError, type ErrorCode, errorRules, parseErrorInfo, toAppError, toOpenAIError } from './errors.ts';

const codes = Object.keys(errorRules) as ErrorCode[];

describe('every code', () => {
  test.each(codes)('%s has a status, a type and a plain text', (code) => {
    const { status, type, message } = errorRules[code];
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(type).toMatch(/^[a-z_]+$/);
    expect(message).toMatch(/^[A-Z].*\.$/);
  });

  test.each(codes)('%s travels to another process and back', (code) => {
    const info = new AppError(code, { param: 'p', retryAfterMs: 5 }).toInfo();
    expect(parseErrorInfo(JSON.parse(JSON.stringify(info)))).toEqual(info);
    expect(AppError.fromInfo(info).toInfo()).toEqual(info);
  });
});

test.each([
  undefined,
  null,
  7,
  'text',
  [],
  {},
  { code: 7 },
  { code: 'toString' },
  { code: '__proto__' },
  { code: null },
])('what says %j is an internal error', (value) => {
  expect(parseErrorInfo(value)).toEqual(new AppError('internal_error').toInfo());
});

test('fields of the wrong type give way to those of the table', () => {
  const info = parseErrorInfo({
    code: 'cancelled',
    message: 7,
    retryable: 'yes',
    param: {},
    retryAfterMs: '1',
  });
  expect(info).toEqual(new AppError('cancelled').toInfo());
});

test('what was thrown by others is kept for the log and not shown', () => {
  const cause = new Error('connect ECONNREFUSED 10.0.0.1');
  const error = toAppError(cause);
  expect(error.cause).toBe(cause);
  expect(JSON.stringify([error.toInfo(), error.message])).not.toContain('10.0.0.1');
  expect(toAppError(error)).toBe(error);
});

test("is OpenAI's error object on the wire", () => {
  const error = new AppError('invalid_value', { param: 'n', message: 'no' });
  expect(toOpenAIError(error.toInfo(), 'r1')).toEqual({
    error: {
      message: 'no',
      type: 'invalid_request_error',
      param: 'n',
      code: 'invalid_value',
      request_id: 'r1',
    },
  });
  expect(toOpenAIError(new AppError('upstream_error').toInfo()).error).toMatchObject({
    type: 'server_error',
    param: null,
  });
});
