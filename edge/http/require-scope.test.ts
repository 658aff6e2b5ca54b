import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { someContext } from '../../shared/testing/request-context.ts';
import type { EdgeHono } from './edge-hono.ts';
import { onError } from './on-error.ts';
import { requireScope } from './require-scope.ts';

async function answerTo(scopes: string[]): Promise<{ response: Response; isReached: boolean }> {
  let isReached = false;
  const app = new Hono<EdgeHono>();
  app.use(async (c, next) => {
    c.set('request', someContext({ scopes }));
    await next();
  });
  app.use(requireScope('admin'));
  app.get('/', (c) => {
    isReached = true;
    return c.text('in');
  });
  app.onError(onError);
  return { response: await app.request('/'), isReached };
}

test.each([[['admin']], [['batch', 'admin']]])('a token with %j is accepted', async (scopes) => {
  const { response, isReached } = await answerTo(scopes);
  expect([response.status, isReached]).toEqual([200, true]);
});

test.each([[[]], [['administrator']], [['Admin']], [['admin batch']]])(
  'a token with %j is refused',
  async (scopes) => {
    const { response, isReached } = await answerTo(scopes);
    expect([response.status, isReached]).toEqual([403, false]);
    expect(await response.json()).toMatchObject({
      error: { code: 'insufficient_scope', message: "This needs a token with the scope 'admin'." },
    });
  },
);
