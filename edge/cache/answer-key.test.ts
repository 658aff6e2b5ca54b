import { describe, expect, test } from 'vitest';
import type { ChatRequest } from '../../shared/model/chat-model.ts';
import { type AnswerQuestion, answerKey } from './answer-key.ts';
import { parseCacheControl } from './cache-control.ts';

const request: ChatRequest = {
  model: 'auto',
  messages: [
    { role: 'system', content: 'be brief' },
    { role: 'user', content: 'hi' },
  ],
  params: { temperature: 0.5, max_tokens: 10 },
};
const question: AnswerQuestion = { tenant: 't', model: 'm', policy: '', request };
const keyOf = (change: Partial<AnswerQuestion> = {}, changed: Partial<ChatRequest> = {}) =>
  answerKey({ ...question, ...change, request: { ...request, ...changed } });

describe('the key', () => {
  test('is the same whatever the order of names, and whatever decides nothing', async () => {
    const key = await keyOf();
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(await keyOf({}, { params: { max_tokens: 10, temperature: 0.5 } })).toBe(key);
    expect(
      await keyOf({}, { params: { ...request.params, seed: null, user: 'someone', metadata: {} } }),
    ).toBe(key);
    expect(await keyOf({}, { model: 'smart' })).toBe(key);
  });

  test('is another for whatever decides the answer', async () => {
    const [system, user] = request.messages as [
      ChatRequest['messages'][number],
      ChatRequest['messages'][number],
    ];
    const others = await Promise.all([
      keyOf(),
      keyOf({ tenant: 'u' }),
      keyOf({ model: 'n' }),
      keyOf({ policy: '2' }),
      keyOf({}, { params: { ...request.params, temperature: 0.6 } }),
      keyOf({}, { params: { ...request.params, seed: 1 } }),
      keyOf({}, { params: { ...request.params, unknown_field: true } }),
      keyOf({}, { messages: [system, { ...user, content: 'hi ' }] }),
      keyOf({}, { messages: [{ ...system, content: 'be long' }, user] }),
      keyOf({}, { messages: [user, system] }),
      keyOf({}, { messages: [{ ...system, role: 'developer' }, user] }),
      keyOf({}, { messages: [system, { ...user, name: 'ann' }] }),
    ]);
    expect(new Set(others).size).toBe(others.length);
  });
});

test.each([
  [undefined, { noStore: false, noCache: false, maxAgeSeconds: undefined }],
  ['no-store', { noStore: true, noCache: false, maxAgeSeconds: undefined }],
  ['No-Cache, max-age=0', { noStore: false, noCache: true, maxAgeSeconds: 0 }],
  ['max-age="60" ,x', { noStore: false, noCache: false, maxAgeSeconds: 60 }],
  ['max-age=-1, max-age=abc, s-maxage=9', { noStore: false, noCache: false, maxAgeSeconds: undefined }],
])('Cache-Control: %s', (header, expected) => {
  expect(parseCacheControl(header)).toEqual(expected);
});
