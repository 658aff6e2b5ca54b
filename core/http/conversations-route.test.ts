import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { Conversations, ListedConversation } from '../archive/conversations.ts';
import { conversationsRoute } from './conversations-route.ts';
import { coreUnderTest } from './testing/core-under-test.ts';

const trip: ListedConversation = { id: 'c1', title: 'A trip', createdAtMs: 1_999, updatedAtMs: 3_001 };
const conversations = {
  list: vi.fn<Conversations['list']>(async () => ({ data: [trip, { ...trip, id: 'c2' }], hasMore: true })),
  search: vi.fn<Conversations['search']>(async () => [{ ...trip, snippet: 'to Rome' }]),
  rename: vi.fn<Conversations['rename']>(async ({ user }, _id, title) => {
    if (user !== 'ann') throw new AppError('session_not_found', { param: 'id' });
    return { ...trip, title };
  }),
};
const core = coreUnderTest({ conversations }, (app, services) => {
  const { list, rename } = conversationsRoute(services);
  app.get('/v1/conversations', list).patch('/v1/conversations/:id', rename);
});
const as = { tenant: 'acme', user: 'ann' };
const shown = { id: 'c1', object: 'conversation', title: 'A trip', created_at: 1, updated_at: 3 };
beforeEach(() => void vi.clearAllMocks());

describe('GET /v1/conversations', () => {
  test('lists a page of the user, times in seconds', async () => {
    const response = await core.call('GET', '/v1/conversations?limit=2&after=c0', { as });
    expect(await response.json()).toEqual({
      object: 'list',
      data: [shown, { ...shown, id: 'c2' }],
      first_id: 'c1',
      last_id: 'c2',
      has_more: true,
    });
    expect(conversations.list).toHaveBeenCalledExactlyOnceWith(as, { limit: 2, after: 'c0' });
  });

  test('with q searches, and shows where it was found', async () => {
    const response = await core.call('GET', '/v1/conversations?q=Rome', { as });
    expect(await response.json()).toMatchObject({
      data: [{ ...shown, snippet: 'to Rome' }],
      has_more: false,
    });
    expect(conversations.search).toHaveBeenCalledExactlyOnceWith(as, 'Rome', 20);
    expect(conversations.list).not.toHaveBeenCalled();
  });

  test('with an empty q lists', async () => {
    await core.call('GET', '/v1/conversations?q=%20', { as });
    expect(conversations.list).toHaveBeenCalledOnce();
    expect(conversations.search).not.toHaveBeenCalled();
  });

  test('with a q that is too long returns 400', async () => {
    const response = await core.call('GET', `/v1/conversations?q=${'x'.repeat(1001)}`, { as });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_value', param: 'q' } });
  });
});

describe('PATCH /v1/conversations/:id', () => {
  test('renames the conversation, without the spaces around the title and without null characters', async () => {
    const body = { title: ' Ro\0me ' };
    const response = await core.call('PATCH', '/v1/conversations/c1', { body, as });
    expect(await response.json()).toEqual({ ...shown, title: 'Ro me' });
    expect(conversations.rename).toHaveBeenCalledExactlyOnceWith(as, 'c1', 'Ro me');
  });

  test.each<[string, object, string]>([
    ['no title', {}, 'missing_required_parameter'],
    ['an empty title', { title: '  ' }, 'invalid_value'],
    ['a title of 201 characters', { title: 'x'.repeat(201) }, 'invalid_value'],
    ['a title that is no string', { title: 1 }, 'invalid_type'],
  ])('with %s returns 400 and names the field', async (_name, body, code) => {
    const response = await core.call('PATCH', '/v1/conversations/c1', { body, as });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code, param: 'title' } });
  });

  test('returns 404 for a conversation of another user', async () => {
    const response = await core.call('PATCH', '/v1/conversations/c1', { body: { title: 'x' } });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'session_not_found' } });
  });
});
