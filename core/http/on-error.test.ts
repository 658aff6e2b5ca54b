import { Hono } from 'hono';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { CoreHono } from './core-hono.ts';
import { onError, onNotFound } from './on-error.ts';

const app = new Hono<CoreHono>();
app.get('/known', () => {
  throw new AppError('model_busy', {
    param: 'model',
    retryAfterMs: 1500,
    cause: new Error('postgres://secret@host'),
  });
});
app.get('/unknown', () => {
  throw new TypeError('postgres://secret@host');
});
app.onError(onError);
app.notFound(onNotFound);
afterEach(() => void vi.restoreAllMocks());

describe('an error', () => {
  test('of the table has its status, and says when to try again', async () => {
    const response = await app.request('/known');
    expect(response.status).toBe(503);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual({
      error: {
        code: 'model_busy',
        message: 'Too many calls are waiting for the model.',
        retryable: true,
        param: 'model',
        retryAfterMs: 1500,
      },
    });
  });

  test('that nobody foresaw is a 500 that shows nothing of its cause', async () => {
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const response = await app.request('/unknown');
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({
      error: { code: 'internal_error', message: 'Something went wrong on our side.', retryable: true },
    });
  });

  test('for an address that is not there is a 404', async () => {
    const response = await app.request('/nothing');
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      error: { code: 'route_not_found', message: 'There is nothing at this address.', retryable: false },
    });
  });
});
