import { expect, test } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { ChatEvent, ChatModel } from '../../shared/model/chat-model.ts';
import { eventStream } from '../../shared/model/event-stream.ts';
import { defaultTimeLimits } from '../../shared/model/with-time-limits.ts';
import { modelStart, scriptedModel, textDelta, turnEnd } from '../../shared/testing/scripted-model.ts';
import { readAll } from '../../shared/testing/streams.ts';
import { createVirtualClock, type VirtualClock } from '../../shared/testing/virtual-clock.ts';
import { createMemoryQuotaStore } from '../quota/memory-quota-store.ts';
import { createQuota } from '../quota/quota.ts';
import { climbFor } from './ladder.ts';
import type { TargetModel } from './target-model.ts';
import { createBreaker } from './with-breaker.ts';
import { withQuota } from './with-quota.ts';

const PER_MINUTE = 3;

/** Refuses the fourth call of any minute, as a free tier does. */
function freeTier(clock: VirtualClock): ChatModel & { calls: number[]; refusals: number } {
  const model = {
    name: 'free',
    calls: [] as number[],
    refusals: 0,
    stream: (_: unknown, signal: AbortSignal) =>
      eventStream(signal, async function* (): AsyncGenerator<ChatEvent, void, void> {
        const recent = model.calls.filter((atMs) => atMs > clock.now() - 60_000);
        if (recent.length >= PER_MINUTE) {
          model.refusals++;
          return yield { type: 'error', error: new AppError('upstream_rate_limited').toInfo() };
        }
        model.calls.push(clock.now());
        yield { type: 'model-start', model: 'free', provider: 'test' };
        await clock.wait(1500, signal);
        yield textDelta('an answer');
        yield { type: 'usage', usage: { inputTokens: 5, outputTokens: 5, estimated: false } };
        yield turnEnd;
      }),
  };
  return model;
}

function setUp(patienceMs: number, lastResort: ChatModel | undefined) {
  const clock = createVirtualClock(1_800_000_000_000);
  const upstream = freeTier(clock);
  const store = createMemoryQuotaStore({ now: clock.now });
  const quota = createQuota({ store, maxWaiting: 1000, now: clock.now, wait: clock.wait });
  let count = 0;
  const target: TargetModel = {
    target: {
      name: 'free',
      provider: 'test',
      upstream: { kind: 'openai', baseUrl: 'http://127.0.0.1:1', apiKey: undefined },
      upstreamModel: 'free',
      offers: ['chat'],
      contextLength: 8000,
      encoding: 'o200k_base',
      timeLimits: defaultTimeLimits,
      quotas: {},
      quotaProvider: 'free',
      reason: '',
      secrets: [],
    },
    breaker: createBreaker({ failures: 5, openMs: 1000 }),
    scopes: [],
    callFor: ({ tenant, priority }, untilMs) =>
      withQuota(upstream, {
        quota,
        scopes: [{ name: 'provider:free', limits: { requestsPerMinute: PER_MINUTE } }],
        tenant,
        priority,
        untilMs,
        holdMs: 60_000,
        newId: () => String(count++),
      }),
  };
  const ask = async (tenant: string, deadlineMs: number): Promise<string | undefined> => {
    const model = climbFor(
      { tenant, priority: 'interactive', deadlineMs },
      {
        name: 'smart',
        steps: [[{ target, weight: 1 }]],
        lastResort,
        patienceMs,
        firstTokenMs: 20_000,
        hedge: undefined,
        now: clock.now,
        random: Math.random,
      },
    );
    const request = { model: 'smart', messages: [{ role: 'user' as const, content: 'hi' }], params: {} };
    const events = await readAll(model.stream(request, new AbortController().signal));
    const start = events.find((event) => event.type === 'model-start');
    return events.at(-1)?.type === 'turn-end' && start?.type === 'model-start' ? start.model : undefined;
  };
  return { clock, upstream, ask };
}

const HOUR_MS = 3_600_000;
const quoting = () =>
  scriptedModel('last', [{ ...modelStart, model: 'last' } as ChatEvent, textDelta('x'), turnEnd]);

test('100 calls at once of three a minute, with an hour’s time: all are answered in their turn, none refused', async () => {
  const { clock, upstream, ask } = setUp(HOUR_MS, undefined);
  const asked = Array.from({ length: 100 }, (_, index) => ask(`t${index % 5}`, clock.now() + HOUR_MS));
  await clock.advance(HOUR_MS);
  expect(await Promise.all(asked)).toEqual(Array(100).fill('free'));
  expect([upstream.calls.length, upstream.refusals]).toEqual([100, 0]);
});

test('with patience for half a minute: those who would wait longer are answered by the next rung at once', async () => {
  const { clock, upstream, ask } = setUp(30_000, quoting());
  const asked = Array.from({ length: 100 }, (_, index) => ask(`t${index % 5}`, clock.now() + HOUR_MS));
  await clock.advance(2000);
  const models = await Promise.all(asked);
  expect(models.filter((model) => model === 'free')).toHaveLength(PER_MINUTE);
  expect(models.filter((model) => model === 'last')).toHaveLength(100 - PER_MINUTE);
  expect(upstream.refusals).toBe(0);
});

test('a trickle over an hour uses what there is, in fair parts, and nobody is left without an answer', async () => {
  const { clock, upstream, ask } = setUp(90_000, quoting());
  const asked: Promise<string | undefined>[] = [];
  for (let minute = 0; minute < 60; minute++) {
    // One tenant asks ten times a minute, and another one once.
    for (let count = 0; count < 10; count++) asked.push(ask('much', clock.now() + HOUR_MS));
    asked.push(ask('little', clock.now() + HOUR_MS));
    await clock.advance(60_000);
  }
  await clock.advance(HOUR_MS);
  const models = await Promise.all(asked);
  expect(models).not.toContain(undefined);
  expect(upstream.refusals).toBe(0);
  expect(upstream.calls.length).toBeGreaterThan(60 * PER_MINUTE * 0.9);
  const ofLittle = models.filter((_, index) => index % 11 === 10);
  expect(ofLittle.filter((model) => model === 'free').length).toBeGreaterThan(55);
});
