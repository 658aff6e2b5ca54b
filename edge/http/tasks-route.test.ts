import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AppError, type OpenAIErrorBody } from '../../shared/errors.ts';
import { tasks } from '../../shared/protocol/task-protocol.ts';
import type { CoreCall } from '../core-client/core-call.ts';
import { type TasksRouteOptions, tasksRoute } from './tasks-route.ts';
import { edgeUnderTest } from './testing/edge-under-test.ts';

const callCore = vi.fn<CoreCall>();
const settle = vi.fn<(tokens: number | undefined) => void>();
const limitCall = vi.fn<TasksRouteOptions['limiter']['call']>();
const filterPrompt = vi.fn<TasksRouteOptions['prompts']['filterPrompt']>();
const addRoutes: Parameters<typeof edgeUnderTest>[0] = (app) => {
  const options = { limiter: { call: limitCall }, prompts: { filterPrompt }, callCore };
  for (const task of tasks) app.post(`/${task}`, tasksRoute(task, options));
};
const send = edgeUnderTest(addRoutes);
beforeEach(() => {
  vi.resetAllMocks();
  callCore.mockResolvedValue(Response.json({ ok: true }, { headers: { 'x-edgewise-tokens': '7' } }));
  limitCall.mockResolvedValue({ limits: { requests: { limit: 10, remaining: 9, resetMs: 1000 } }, settle });
  filterPrompt.mockImplementation(async (request) => request);
});

test('a task is sent to the core within the caller’s limits, and settled with its usage', async () => {
  const body = { model: 'e', input: 'hi' };
  const response = await send('POST', '/embeddings', body);
  expect(await response.json()).toEqual({ ok: true });
  expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('9');
  expect(response.headers.get('x-edgewise-tokens')).toBeNull();
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(limitCall.mock.calls[0]?.[1]).toEqual({ model: 'e', tokens: expect.any(Number) });
  expect(callCore.mock.calls[0]?.[1]).toMatchObject({
    method: 'POST',
    path: '/v1/tasks/embeddings',
    body: JSON.stringify(body),
    contentType: 'application/json',
    isSlow: true,
  });
  expect(settle.mock.calls).toEqual([[7]]);
});

test('a response without usage is settled with the estimate', async () => {
  callCore.mockResolvedValue(new Response('sound', { headers: { 'content-type': 'audio/mpeg' } }));
  const response = await send('POST', '/speech', { model: 'v', input: 'hi' });
  expect([response.headers.get('content-type'), await response.text()]).toEqual(['audio/mpeg', 'sound']);
  expect(settle.mock.calls).toEqual([[limitCall.mock.calls[0]?.[1].tokens]]);
});

test('a call that fails costs nothing', async () => {
  callCore.mockRejectedValue(new AppError('upstream_error'));
  expect((await send('POST', '/embeddings', { model: 'e', input: 'hi' })).status).toBe(502);
  expect(settle.mock.calls).toEqual([[0]]);
});

test('who leaves while the work is done pays what was reserved', async () => {
  const leaving = new AbortController();
  callCore.mockImplementation(async () => {
    leaving.abort();
    throw new AppError('cancelled');
  });
  const sendAndLeave = edgeUnderTest(addRoutes, { signal: leaving.signal });
  await sendAndLeave('POST', '/images', { model: 'p', prompt: 'hi' });
  expect(settle.mock.calls).toEqual([[limitCall.mock.calls[0]?.[1].tokens]]);
});

test('a caller who is over the limit never reaches the core', async () => {
  limitCall.mockRejectedValue(new AppError('rate_limit_exceeded', { retryAfterMs: 500 }));
  const response = await send('POST', '/embeddings', { model: 'e', input: 'hi' });
  expect([response.status, response.headers.get('retry-after-ms')]).toEqual([429, '500']);
  expect(callCore).not.toHaveBeenCalled();
});

describe('the content filter', () => {
  test.each([
    ['speech', 'input'],
    ['images', 'prompt'],
  ])('filters the prompt of %s before it is sent', async (task, field) => {
    filterPrompt.mockImplementation(async (request) => ({
      ...request,
      messages: [{ role: 'user', content: '***' }],
    }));
    await send('POST', `/${task}`, { model: 'm', [field]: 'secret', size: 's' });
    expect(filterPrompt.mock.calls[0]?.[0].messages).toEqual([{ role: 'user', content: 'secret' }]);
    expect(callCore.mock.calls[0]?.[1].body).toBe(JSON.stringify({ model: 'm', [field]: '***', size: 's' }));
  });

  test('refuses a prompt before limits and core', async () => {
    filterPrompt.mockRejectedValue(new AppError('content_filter'));
    expect((await send('POST', '/images', { model: 'm', prompt: 'x' })).status).toBe(400);
    expect([limitCall.mock.calls.length, callCore.mock.calls.length]).toEqual([0, 0]);
  });

  test('is not used for a task without a prompt', async () => {
    await send('POST', '/moderations', { model: 'm', input: 'x' });
    expect(filterPrompt).not.toHaveBeenCalled();
  });
});

describe('a transcription', () => {
  const form = (fields: Record<string, string | File>) => {
    const made = new FormData();
    for (const [name, value] of Object.entries(fields)) made.append(name, value);
    return made;
  };

  test('is sent with its exact bytes', async () => {
    await send('POST', '/transcriptions', form({ model: 'v', file: new File(['sound'], 'a.wav') }));
    const { body, contentType } = callCore.mock.calls[0]?.[1] ?? {};
    expect(contentType).toMatch(/^multipart\/form-data; boundary=/);
    expect(new TextDecoder().decode(body as Uint8Array)).toContain('sound');
    expect(limitCall.mock.calls[0]?.[1]).toEqual({ model: 'v', tokens: 1 });
  });

  test.each<[string, unknown, Record<string, string>, number, string | null]>([
    ['without a model', form({ file: new File(['x'], 'a') }), {}, 400, 'model'],
    ['without a file', form({ model: 'v' }), {}, 400, 'file'],
    ['as JSON', { model: 'v' }, {}, 415, null],
    ['as a broken form', 'x', { 'content-type': 'multipart/form-data; boundary=b' }, 400, null],
    ['that is too large', form({ model: 'v', file: new File(['x'.repeat(2000)], 'a') }), {}, 413, null],
  ])('%s is refused', async (_name, body, headers, status, param) => {
    const response = await send('POST', '/transcriptions', body, headers);
    expect([response.status, (await response.json<OpenAIErrorBody>()).error.param]).toEqual([status, param]);
    expect(callCore).not.toHaveBeenCalled();
  });
});

test.each<[string, unknown, string, string | null]>([
  ['no model', {}, 'missing_required_parameter', 'model'],
  ['a model that is not a string', { model: 1 }, 'invalid_type', 'model'],
  ['a list', [], 'invalid_type', null],
])('%s is refused', async (_name, body, code, param) => {
  const response = await send('POST', '/embeddings', body);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code, param } });
  expect(limitCall).not.toHaveBeenCalled();
});
