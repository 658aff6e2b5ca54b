import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { Embeddings } from '../embeddings/embeddings.ts';
import type { Registry, TaskTargets } from '../models/registry.ts';
import type { Target } from '../models/target.ts';
import type { TargetModel } from '../models/target-model.ts';
import { createBreaker } from '../models/with-breaker.ts';
import type { Quota } from '../quota/quota.ts';
import type { TaskDispatchOptions } from '../tasks/dispatch-task.ts';
import { tasksRoute } from './tasks-route.ts';
import { coreUnderTest, nowMs } from './testing/core-under-test.ts';

const target = {
  name: 'voice',
  provider: 'test',
  upstream: { kind: 'openai', baseUrl: 'http://upstream.test/v1/', apiKey: 'upstream-key' },
  upstreamModel: 'voice-1',
  secrets: ['upstream-key'] as readonly string[],
  timeLimits: { totalMs: 60_000, firstTokenMs: 60_000 },
} as Target;
const unused = () => {
  throw new Error('not called here');
};
const voice: TargetModel = {
  target,
  breaker: createBreaker({ failures: 100, openMs: 1000 }),
  scopes: [{ name: 'provider:test', limits: { requestsPerMinute: 10 } }] as unknown as TargetModel['scopes'],
  callFor: unused,
};
const targetsFor = vi.fn<Registry['targetsFor']>((_task, name): TaskTargets => {
  if (name !== 'voice') throw new AppError('model_not_found', { param: 'model' });
  return { maxRetries: 0, targets: [{ target: voice, untilMs: nowMs + 1000 }] };
});
const settle = vi.fn<(tokens: number) => void>();
const admit = vi.fn<Quota['admit']>(async () => ({ settle, block: unused }) as never);
const upstream = vi.fn<typeof fetch>();
const onUsageRejected = vi.fn<TaskDispatchOptions['onUsageRejected']>();
const answerEmbeddings = vi.fn<Embeddings['answer']>(async () => ({
  object: 'list',
  data: [],
  model: 'e',
  usage: { prompt_tokens: 5, total_tokens: 5 },
}));
const core = coreUnderTest(
  {
    registry: { current: { targetsFor } as unknown as Registry },
    embeddings: { answer: answerEmbeddings },
    taskDispatch: {
      quota: { admit } as unknown as Quota,
      retry: { wait: unused, random: unused },
      onUsageRejected,
      fetch: upstream,
      now: () => nowMs,
      newId: () => 'id',
    },
  },
  (app, services) => app.post('/v1/tasks/:task', tasksRoute(services)),
);
const as = { tenant: 'acme', deadlineMs: nowMs + 30_000 };
const post = (task: string, body: unknown, signal?: AbortSignal) =>
  core.call('POST', `/v1/tasks/${task}`, { body, as, ...(signal && { signal }) });
beforeEach(() => {
  vi.clearAllMocks();
  upstream.mockReset();
});

describe('a task with a JSON body', () => {
  test('is asked of the target under the name that the upstream knows', async () => {
    upstream.mockResolvedValueOnce(Response.json({ results: [], usage: { total_tokens: 7 } }));
    const response = await post('moderations', { model: 'voice', input: 'hi' });
    expect(await response.json()).toEqual({ results: [], usage: { total_tokens: 7 } });
    expect(Object.fromEntries(response.headers)).toEqual({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-edgewise-model': 'voice',
      'x-edgewise-tokens': '7',
    });
    const [url, init] = upstream.mock.calls[0] ?? [];
    expect(url).toBe('http://upstream.test/v1/moderations');
    expect(init).toMatchObject({
      headers: { authorization: 'Bearer upstream-key', 'content-type': 'application/json' },
      body: '{"model":"voice-1","input":"hi"}',
    });
    expect(targetsFor).toHaveBeenCalledExactlyOnceWith('moderations', 'voice', {
      ...as,
      priority: 'interactive',
    });
  });

  test('reserves by its length, and settles what the upstream counted', async () => {
    upstream.mockResolvedValueOnce(Response.json({ usage: { total_tokens: 7 } }));
    const body = JSON.stringify({ model: 'voice', input: 'hi' });
    await post('moderations', body);
    expect(admit.mock.calls[0]?.[0]).toMatchObject({ tokens: Math.ceil(body.length / 4), tenant: 'acme' });
    expect(settle.mock.calls).toEqual([[7]]);
  });

  test.each([1e18, 3e9, -1, 0.5, '7', null])('a usage of %s tokens is not believed', async (tokens) => {
    upstream.mockResolvedValueOnce(Response.json({ usage: { total_tokens: tokens } }));
    const body = JSON.stringify({ model: 'voice', input: 'hi' });
    const response = await post('moderations', body);
    expect(response.headers.get('x-edgewise-tokens')).toBeNull();
    expect(settle.mock.calls).toEqual([[Math.ceil(body.length / 4)]]);
    expect(onUsageRejected.mock.calls).toMatchObject([[{ model: 'voice', operation: 'moderations' }]]);
  });

  test.each<[string, string, unknown, number, string, string | undefined]>([
    ['a task that there is not', 'sing', {}, 404, 'route_not_found', undefined],
    ['no model', 'moderations', {}, 400, 'missing_required_parameter', 'model'],
    ['a model that is no name', 'moderations', { model: 1 }, 400, 'missing_required_parameter', 'model'],
    ['a model that is not known', 'moderations', { model: 'x' }, 404, 'model_not_found', 'model'],
    ['a list', 'moderations', [], 400, 'invalid_type', undefined],
    ['no JSON', 'moderations', '{', 400, 'invalid_json', undefined],
  ])('with %s is refused', async (_name, task, body, status, code, param) => {
    const response = await post(task, body);
    const { error } = await response.json();
    expect([response.status, error.code, error.param]).toEqual([status, code, param]);
    expect(upstream).not.toHaveBeenCalled();
  });
});

test('embeddings are answered in batches, with their tokens in a header', async () => {
  const response = await post('embeddings', { model: 'e', input: 'hi' });
  expect(await response.json()).toMatchObject({ object: 'list', model: 'e' });
  expect(response.headers.get('x-edgewise-tokens')).toBe('5');
  expect(answerEmbeddings.mock.calls[0]?.[0]).toEqual({ model: 'e', input: 'hi' });
});

test('a form goes to the upstream with its files and with the upstream’s model', async () => {
  upstream.mockResolvedValueOnce(new Response('Hello.', { headers: { 'content-type': 'text/plain' } }));
  const form = new FormData();
  form.append('model', 'voice');
  form.append('file', new File(['sound'], 'a.wav'));
  const response = await post('transcriptions', form);
  expect(await response.text()).toBe('Hello.');
  const sent = upstream.mock.calls[0]?.[1]?.body as FormData;
  expect(sent.getAll('model')).toEqual(['voice-1']);
  expect(await (sent.get('file') as File).text()).toBe('sound');
});

describe('an answer that streams', () => {
  const speech = { model: 'voice', input: 'hi' };

  test('passes with its type, and settles by the estimate when it ends', async () => {
    upstream.mockResolvedValueOnce(
      new Response('sound', { headers: { 'content-type': 'audio/mpeg', 'set-cookie': 'a=b' } }),
    );
    const response = await post('speech', speech);
    expect(settle).not.toHaveBeenCalled();
    expect(response.headers.get('content-type')).toBe('audio/mpeg');
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(await response.text()).toBe('sound');
    expect(settle.mock.calls).toEqual([[8]]);
  });

  test('aborts the upstream when the reader leaves', async () => {
    let upstreamSignal: AbortSignal | null | undefined;
    upstream.mockImplementationOnce(async (_url, init) => {
      upstreamSignal = init?.signal;
      return new Response(new ReadableStream({ pull: (own) => own.enqueue(new Uint8Array(1)) }));
    });
    const response = await post('speech', speech);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    expect(upstreamSignal?.aborted).toBe(false);
    await reader.cancel();
    expect(upstreamSignal?.aborted).toBe(true);
    expect(settle.mock.calls).toEqual([[8]]);
  });

  test('that breaks off fails for the reader, and is settled', async () => {
    upstream.mockResolvedValueOnce(
      new Response(
        new ReadableStream({
          pull() {
            throw new TypeError('terminated');
          },
        }),
      ),
    );
    const response = await post('speech', speech);
    await expect(response.arrayBuffer()).rejects.toThrow('terminated');
    expect(settle.mock.calls).toEqual([[8]]);
  });
});

describe('an upstream that fails', () => {
  test('with our key in every place of its refusal shows it in none', async () => {
    const error = {
      message: 'bad upstream-key',
      param: 'upstream-key',
      code: 'upstream-key',
      type: 'upstream-key',
    };
    const headers = { 'content-disposition': 'upstream-key', 'x-key': 'upstream-key' };
    for (const status of [400, 401, 413, 500]) {
      upstream.mockResolvedValueOnce(Response.json({ error }, { status, headers }));
      const response = await post('moderations', { model: 'voice', input: 'hi' });
      expect((await response.text()) + JSON.stringify([...response.headers])).not.toContain('upstream-key');
    }
    upstream.mockResolvedValueOnce(Response.json({}, { headers }));
    const response = await post('moderations', { model: 'voice', input: 'hi' });
    expect(response.headers.get('content-disposition')).toBeNull();
  });

  test('with its own credentials refused returns 502, and settles nothing', async () => {
    upstream.mockResolvedValueOnce(Response.json({ error: { message: 'key sk-1 is bad' } }, { status: 401 }));
    const response = await post('moderations', { model: 'voice', input: 'hi' });
    expect(response.status).toBe(502);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'upstream_auth_failed' } });
    expect(text).not.toContain('sk-1');
    expect(settle.mock.calls).toEqual([[0]]);
  });

  test('with more JSON than an answer may have returns 502, and reads no more of it', async () => {
    let pulled = 0;
    const endless = new ReadableStream({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(1024 * 1024).fill(32));
      },
    });
    upstream.mockResolvedValueOnce(
      new Response(endless, { headers: { 'content-type': 'application/json' } }),
    );
    const response = await post('moderations', { model: 'voice', input: 'hi' });
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: { code: 'upstream_too_large' } });
    expect(pulled).toBeLessThan(70);
  });

  test('within its JSON returns 502', async () => {
    const cut = new ReadableStream({
      pull() {
        throw new TypeError('terminated');
      },
    });
    upstream.mockResolvedValueOnce(new Response(cut, { headers: { 'content-type': 'application/json' } }));
    const response = await post('moderations', { model: 'voice', input: 'hi' });
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: { code: 'upstream_cut' } });
  });
});
