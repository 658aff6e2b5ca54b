import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import type { EdgeHono } from './edge-hono.ts';
import { type IdempotencyKey, readIdempotencyKey } from './idempotency-key.ts';
import { onError } from './on-error.ts';

const app = new Hono<EdgeHono>();
app.post('/:any', async (c) => c.json((await readIdempotencyKey(c, await c.req.json())) ?? { none: true }));
app.onError(onError);
const post = (key: string | undefined, content: unknown = {}, path = '/a') =>
  app.request(path, {
    method: 'POST',
    body: JSON.stringify(content),
    headers: key === undefined ? {} : { 'idempotency-key': key },
  });
const read = async (...args: Parameters<typeof post>): Promise<IdempotencyKey> =>
  (await post(...args)).json();

test('a request without the header has no key', async () => {
  expect(await (await post(undefined)).json()).toEqual({ none: true });
});

describe('a key', () => {
  test('identifies the request by its address and content', async () => {
    const { key, bodyHash, sessionId } = await read('k', { a: 1 });
    expect(key).toBe('k');
    expect(bodyHash).toMatch(/^[0-9a-f]{64}$/);
    expect(sessionId).toMatch(/^conv_[0-9a-f]{32}$/);
    expect(await read('k', { a: 1 })).toEqual({ key, bodyHash, sessionId });
  });

  test('with another body or address has another hash, and the same session', async () => {
    const first = await read('k', { a: 1 });
    for (const other of [await read('k', { a: 2 }), await read('k', { a: 1 }, '/b')]) {
      expect(other.bodyHash).not.toBe(first.bodyHash);
      expect(other.sessionId).toBe(first.sessionId);
    }
  });

  test('that differs has another session', async () => {
    expect((await read('k')).sessionId).not.toBe((await read('l')).sessionId);
  });

  test('of 255 printable characters is accepted', async () => {
    expect((await post('~'.repeat(255))).status).toBe(200);
  });

  test.each([
    ['no characters', ''],
    ['256 characters', 'x'.repeat(256)],
    ['a tab', 'a\tb'],
    ['a letter beyond ASCII', 'é'],
  ])('with %s returns 400 and names the header', async (_name, key) => {
    const response = await post(key);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { code: 'invalid_value', param: 'Idempotency-Key' },
    });
  });
});
