import { Hono } from 'hono';
import { expect, test } from 'vitest';
import type { EdgeHono } from './edge-hono.ts';
import { assignRequestId } from './request-id.ts';

const app = new Hono<EdgeHono>().get('/', (c) => {
  assignRequestId(c);
  return c.text(c.get('requestId'));
});
const idFor = async (sent?: string) =>
  (await app.request('/', { headers: sent === undefined ? {} : { 'x-request-id': sent } })).text();
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

test.each(['a', 'req_1.2-3', 'x'.repeat(128)])('a client’s id "%s" is accepted', async (sent) => {
  expect(await idFor(sent)).toBe(sent);
});

test.each([undefined, '', 'x'.repeat(129), 'two words', 'a/b', 'é', '"quoted"', '<b>'])(
  'instead of "%s" the request gets a new id',
  async (sent) => {
    expect(await idFor(sent)).toMatch(uuid);
  },
);

test('no two requests have the same id', async () => {
  expect(await idFor()).not.toBe(await idFor());
});
