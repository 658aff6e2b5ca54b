import { beforeEach, expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { Feedback } from '../usage/feedback.ts';
import { feedbackRoute } from './feedback-route.ts';
import { coreUnderTest } from './testing/core-under-test.ts';

const give = vi.fn<Feedback['give']>(async ({ user }) => {
  if (user !== 'ann') throw new AppError('turn_not_found', { param: 'turn_id' });
});
const core = coreUnderTest({ feedback: { give } }, (app, services) =>
  app.post('/v1/feedback', feedbackRoute(services)),
);
const as = { tenant: 'acme', user: 'ann' };
const turnId = '0123456789abcdef0123456789abcdef';
beforeEach(() => void vi.clearAllMocks());

test.each([
  ['a turn', turnId],
  ['a chat completion', `chatcmpl-${turnId}`],
  ['a response', `resp_${turnId}_session_1`],
])('the id of %s names the turn', async (_name, id) => {
  const body = { turn_id: id, rating: 'down', text: 'Wrong.' };
  const response = await core.call('POST', '/v1/feedback', { body, as });
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ object: 'feedback', turn_id: turnId, rating: 'down' });
  expect(give).toHaveBeenCalledExactlyOnceWith(expect.objectContaining(as), {
    turnId,
    rating: 'down',
    text: 'Wrong.',
  });
});

test.each<[string, object, string, string]>([
  ['no turn', { rating: 'up' }, 'missing_required_parameter', 'turn_id'],
  ['an empty turn', { turn_id: '', rating: 'up' }, 'invalid_value', 'turn_id'],
  ['no rating', { turn_id: 'x' }, 'missing_required_parameter', 'rating'],
  ['another rating', { turn_id: 'x', rating: 'sideways' }, 'invalid_value', 'rating'],
  [
    'a text that is too long',
    { turn_id: 'x', rating: 'up', text: 'a'.repeat(4001) },
    'invalid_value',
    'text',
  ],
])('%s returns 400 and names the field', async (_name, body, code, param) => {
  const response = await core.call('POST', '/v1/feedback', { body, as });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code, param } });
  expect(give).not.toHaveBeenCalled();
});

test('a turn of another user returns 404', async () => {
  const body = { turn_id: turnId, rating: 'up' };
  const response = await core.call('POST', '/v1/feedback', { body, as: { tenant: 'acme', user: 'ben' } });
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ error: { code: 'turn_not_found', param: 'turn_id' } });
});
