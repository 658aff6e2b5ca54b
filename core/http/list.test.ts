import { Hono } from 'hono';
import { expect, test } from 'vitest';
import type { CoreHono } from './core-hono.ts';
import { parsePage, toList } from './list.ts';
import { onError } from './on-error.ts';

const app = new Hono<CoreHono>().get('/', (c) => c.json(parsePage(c)));
app.onError(onError);

test.each([
  ['/', { limit: 20 }],
  ['/?limit=1', { limit: 1 }],
  ['/?limit=100', { limit: 100 }],
  ['/?limit=10000&after=x', { limit: 100, after: 'x' }],
])('%s asks for the page %o', async (path, page) => {
  expect(await (await app.request(path)).json()).toEqual(page);
});

test.each([
  ['/?limit=0', 'limit'],
  ['/?limit=10001', 'limit'],
  ['/?limit=-1', 'limit'],
  ['/?limit=ten', 'limit'],
  ['/?limit=', 'limit'],
  [`/?after=${'x'.repeat(101)}`, 'after'],
])('%s returns 400 and names the field', async (path, param) => {
  const response = await app.request(path);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code: 'invalid_value', param } });
});

test('a list names its first and its last id, and null for each where it is empty', () => {
  expect(toList({ data: [{ id: 'a' }, { id: 'b' }], hasMore: true })).toEqual({
    object: 'list',
    data: [{ id: 'a' }, { id: 'b' }],
    first_id: 'a',
    last_id: 'b',
    has_more: true,
  });
  expect(toList({ data: [], hasMore: false })).toEqual({
    object: 'list',
    data: [],
    first_id: null,
    last_id: null,
    has_more: false,
  });
});
