import { expect, test } from 'vitest';
import { createVirtualClock } from '../../shared/testing/virtual-clock.ts';
import { createTargetModel } from '../models/target-model.ts';
import type { Quota } from '../quota/quota.ts';
import { dispatchTask } from './dispatch-task.ts';

const caller = { tenant: 't', priority: 'interactive' as const, deadlineMs: 60_000 };
const request = {
  task: 'embeddings' as const,
  body: { kind: 'json' as const, json: { input: 'a' } },
  tokens: 5,
};

/** Two targets, of which each answers with these in turn. */
function setUp(answers: Record<string, (() => Response)[]>) {
  const clock = createVirtualClock(0);
  const pauses: [string, number][] = [];
  const calls: string[] = [];
  const quota: Quota = {
    waiting: 0,
    admit: async ({ scopes }) => ({
      settle: () => undefined,
      block: (ms) => void pauses.push([scopes[0]?.name ?? '', ms]),
    }),
  };
  const options = { quota, now: clock.now, newId: () => 'id', onUsageRejected: () => undefined };
  const targets = Object.keys(answers).map((name) => ({
    target: createTargetModel(
      {
        name,
        provider: 'test',
        upstream: { kind: 'openai', baseUrl: `http://${name}.test/v1`, apiKey: undefined },
        upstreamModel: name,
        offers: ['embeddings'],
        contextLength: 100,
        encoding: 'o200k_base',
        timeLimits: { connectMs: 1000, firstTokenMs: 1000, idleMs: 1000, totalMs: 1000 },
        quotas: { model: {} },
        quotaProvider: 'test',
        reason: 'test',
        secrets: [],
      },
      { maxRetries: 1, breaker: { failures: 3, openMs: 1000 } },
      { ...options, maxOutputTokens: 10, wait: clock.wait, random: () => 0.5 },
    ),
    untilMs: 60_000,
  }));
  const dispatch = (signal = new AbortController().signal) =>
    dispatchTask(
      request,
      targets,
      { caller, maxRetries: 1, signal },
      {
        ...options,
        retry: { wait: clock.wait, random: () => 0.5 },
        async fetch(url) {
          const name = new URL(String(url)).hostname.replace('.test', '');
          calls.push(name);
          return answers[name]?.shift()?.() ?? Response.json({ ok: true });
        },
      },
    );
  return { clock, dispatch, calls, pauses };
}
const status =
  (code: number, headers: Record<string, string> = {}) =>
  () =>
    Response.json({ error: { message: 'no' } }, { status: code, headers });

test.each([
  ['without Retry-After', {}, 1000],
  ['with Retry-After', { 'retry-after-ms': '70' }, 70],
])('429 %s pauses the upstream as a chat does', async (_name, headers, pauseMs) => {
  const { clock, dispatch, pauses } = setUp({ one: [status(429, headers)] });
  const answer = dispatch();
  await clock.advance(5000);
  expect((await answer).model).toBe('one');
  expect(pauses).toEqual([['model:one', pauseMs]]);
});

test.each([404, 408, 413, 503])('after %i the next target answers', async (code) => {
  const { clock, dispatch } = setUp({ one: [status(code), status(code)], two: [] });
  const answer = dispatch();
  await clock.advance(5000);
  expect((await answer).model).toBe('two');
});

test('a request that the upstream rejects is asked nowhere else', async () => {
  const { dispatch, calls } = setUp({ one: [status(422)], two: [] });
  await expect(dispatch()).rejects.toMatchObject({ code: 'upstream_rejected' });
  expect(calls).toEqual(['one']);
});

test('an abort during the pause before a retry is cancelled at once', async () => {
  const stop = new AbortController();
  const { clock, dispatch, calls } = setUp({ one: [status(503)], two: [] });
  const failed = dispatch(stop.signal).catch((error) => error);
  await clock.advance(10);
  stop.abort();
  expect(await failed).toMatchObject({ code: 'cancelled' });
  expect(calls).toEqual(['one']);
});
