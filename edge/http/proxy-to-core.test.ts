import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { CoreCall } from '../core-client/core-call.ts';
import { createProxyToCore } from './proxy-to-core.ts';
import { edgeUnderTest } from './testing/edge-under-test.ts';

const callCore = vi.fn<CoreCall>();
const proxyToCore = createProxyToCore({ callCore });
const send = edgeUnderTest((app) => {
  app.all('/v1/documents/:id?', (c) => proxyToCore(c, { isSlow: true, createsNew: true }));
  app.all('/v1/memory', (c) => proxyToCore(c));
});
beforeEach(() => {
  callCore.mockReset();
  callCore.mockResolvedValue(Response.json({ ok: true }));
});
const requested = () => callCore.mock.calls[0]?.[1];

describe('a request', () => {
  test('is sent to the core with its address, query and caller', async () => {
    const response = await send('GET', '/v1/memory?a=1&b=%20', undefined, { accept: 'text/csv' });
    expect(await response.json()).toEqual({ ok: true });
    expect(callCore.mock.calls[0]?.[0]).toMatchObject({ tenant: 't', user: 'u', requestId: 'req-1' });
    expect(requested()).toEqual({
      method: 'GET',
      path: '/v1/memory?a=1&b=%20',
      accept: 'text/csv',
      signal: expect.any(AbortSignal),
      createsNew: undefined,
      isSlow: undefined,
    });
  });

  test('with JSON is sent without spaces, and an empty one as an object', async () => {
    await send('PATCH', '/v1/memory', '{ "a": 1 }', { 'content-type': 'application/json' });
    expect(requested()).toMatchObject({ method: 'PATCH', body: '{"a":1}', contentType: 'application/json' });
    callCore.mockClear();
    await send('POST', '/v1/documents');
    expect(requested()).toMatchObject({ method: 'POST', body: '{}', isSlow: true, createsNew: true });
  });

  test('with a form is sent with its exact bytes', async () => {
    const form = 'x'.repeat(1500);
    const type = 'multipart/form-data; boundary=x';
    await send('POST', '/v1/documents', form, { 'content-type': type });
    expect(requested()).toMatchObject({ body: new TextEncoder().encode(form), contentType: type });
  });

  test.each([
    ['JSON above the body limit', 'application/json', `"${'x'.repeat(1000)}"`, 413],
    ['a form above the upload limit', 'multipart/form-data; boundary=x', 'x'.repeat(2001), 413],
    ['another type', 'text/plain', 'x', 415],
    ['invalid JSON', 'application/json', '{', 400],
  ])('with %s never reaches the core', async (_name, type, body, status) => {
    const response = await send('POST', '/v1/documents', body, { 'content-type': type });
    expect(response.status).toBe(status);
    expect(callCore).not.toHaveBeenCalled();
  });

  test('with another method is refused', async () => {
    expect((await send('PUT', '/v1/memory', '{}')).status).toBe(405);
    expect(callCore).not.toHaveBeenCalled();
  });
});

describe('the core’s response', () => {
  test('is returned with its status and only its content headers', async () => {
    callCore.mockResolvedValue(
      new Response('a,b', {
        status: 201,
        headers: {
          'content-type': 'text/csv',
          'content-disposition': 'attachment',
          'cache-control': 'public',
          'set-cookie': 'a=b',
          server: 'core-7.internal',
        },
      }),
    );
    const response = await send('GET', '/v1/memory');
    expect([response.status, await response.text()]).toEqual([201, 'a,b']);
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      'content-disposition': 'attachment',
      'content-type': 'text/csv',
    });
  });

  test('that is an error is returned as that error', async () => {
    callCore.mockRejectedValue(new AppError('document_not_found', { param: 'id' }));
    const response = await send('DELETE', '/v1/documents/1');
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      error: { code: 'document_not_found', param: 'id', request_id: 'req-1' },
    });
  });
});
