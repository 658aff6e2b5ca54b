import { describe, expect, test } from 'vitest';
import { createVirtualClock, type VirtualClock } from '../../shared/testing/virtual-clock.ts';
import type { Priority } from './fair-queue.ts';
import { createMemoryQuotaStore } from './memory-quota-store.ts';
import { type Admission, createQuota, type Quota } from './quota.ts';
import type { QuotaLimits } from './quota-store.ts';

const HOUR_MS = 3_600_000;

function setUp(limits: QuotaLimits, maxWaiting = 1000) {
  const clock = createVirtualClock(1_800_000_000_000);
  const store = createMemoryQuotaStore({ now: clock.now });
  const quota = createQuota({ store, maxWaiting, now: clock.now, wait: clock.wait });
  let count = 0;
  const admit = (
    { tenant = 't', priority = 'interactive' as Priority, waitMs = HOUR_MS, tokens = 1 } = {},
    signal = new AbortController().signal,
  ): Promise<Admission> =>
    quota.admit(
      {
        id: String(count++),
        scopes: [{ name: 'k', limits }],
        tokens,
        holdMs: HOUR_MS,
        tenant,
        priority,
        untilMs: clock.now() + waitMs,
      },
      signal,
    );
  return { clock, quota, admit };
}

/** Counts over any minute, as the strictest of upstreams does. */
function strictUpstream(clock: VirtualClock, perMinute: number) {
  const atMs: number[] = [];
  return {
    refusals: 0,
    calls: atMs,
    call() {
      const recent = atMs.filter((at) => at > clock.now() - 60_000);
      if (recent.length >= perMinute) this.refusals++;
      atMs.push(clock.now());
    },
  };
}

describe('three requests a minute', () => {
  test('a burst of 100: nobody is refused by the upstream, all get their turn, tenants in fair order', async () => {
    const { clock, admit } = setUp({ requestsPerMinute: 3 });
    const upstream = strictUpstream(clock, 3);
    const order: string[] = [];
    const tenants = [
      ...Array(70).fill('many'),
      ...Array(10).fill('b'),
      ...Array(10).fill('c'),
      ...Array(10).fill('d'),
    ];
    const calls = tenants.map(async (tenant) => {
      const admission = await admit({ tenant });
      upstream.call();
      order.push(tenant);
      admission.settle(1);
    });
    await clock.advance(HOUR_MS);
    await Promise.all(calls);
    expect(upstream.refusals).toBe(0);
    expect(upstream.calls).toHaveLength(100);
    // The small ones are served in full while the large one has had no more than its part.
    const lastOfSmall = Math.max(...['b', 'c', 'd'].map((tenant) => order.lastIndexOf(tenant)));
    expect(order.slice(0, lastOfSmall).filter((tenant) => tenant === 'many').length).toBeLessThanOrEqual(13);
    // 100 calls are 33 minutes and one call more, at the least; the distance that is kept costs a little.
    expect((upstream.calls.at(-1) ?? 0) - (upstream.calls[0] ?? 0)).toBeLessThan(36 * 60_000);
  });

  test('a call that cannot wait so long is refused at once, with the time to come back', async () => {
    const { clock, quota, admit } = setUp({ requestsPerMinute: 3 });
    for (let count = 0; count < 3; count++) await admit();
    const refused = admit({ waitMs: 20_000 }).catch((error) => error);
    await clock.advance(0);
    expect(await refused).toMatchObject({ code: 'model_busy', retryable: true });
    expect((await refused).retryAfterMs).toBeGreaterThan(50_000);
    const patient = [0, 1, 2].map(() => admit());
    await clock.advance(0);
    // Behind those it would take two minutes more.
    await expect(admit({ waitMs: 100_000 })).rejects.toMatchObject({ code: 'model_busy' });
    await clock.advance(HOUR_MS);
    await Promise.all(patient);
    expect(quota.waiting).toBe(0);
  });

  test('interactive calls go before the rest', async () => {
    const { clock, admit } = setUp({ requestsPerMinute: 3 });
    for (let count = 0; count < 3; count++) await admit();
    const order: string[] = [];
    for (const priority of ['batch', 'batch', 'batch', 'batch', 'background', 'interactive'] as Priority[])
      void admit({ priority }).then(() => order.push(priority));
    await clock.advance(HOUR_MS);
    expect(order).toEqual(['interactive', 'background', 'batch', 'batch', 'batch', 'batch']);
  });
});

test('who leaves the queue gives the place back', async () => {
  const { clock, quota, admit } = setUp({ requestsPerMinute: 3 });
  for (let count = 0; count < 3; count++) await admit();
  const stop = new AbortController();
  const leaving = admit({}, stop.signal).catch((error) => error);
  const staying = admit();
  await clock.advance(1000);
  stop.abort();
  expect(await leaving).toMatchObject({ code: 'cancelled' });
  expect(quota.waiting).toBe(1);
  await clock.advance(62_000);
  await staying;
});

test('a turn that ends lets the next one in at once', async () => {
  const { clock, admit } = setUp({ turnsAtOnce: 1 });
  const first = await admit();
  let isIn = false;
  const second = admit().then((admission) => {
    isIn = true;
    return admission;
  });
  await clock.advance(10_000);
  expect(isIn).toBe(false);
  first.settle(1);
  await clock.advance(0);
  expect(isIn).toBe(true);
  (await second).settle(1);
});

test('tokens that were not used let the next one in', async () => {
  const { clock, admit } = setUp({ tokensPerMinute: 1000 });
  const first = await admit({ tokens: 900 });
  const second = admit({ tokens: 900 });
  await clock.advance(100);
  first.settle(50);
  await clock.advance(0);
  await second;
  expect(clock.now()).toBe(1_800_000_000_100);
});

test('an upstream that refused is left alone for as long as it said', async () => {
  const { clock, admit } = setUp({ requestsPerMinute: 100 });
  (await admit()).block(5000);
  let isIn = false;
  void admit().then(() => {
    isIn = true;
  });
  await clock.advance(4900);
  expect(isIn).toBe(false);
  await clock.advance(200);
  expect(isIn).toBe(true);
});

test('a full queue refuses at once', async () => {
  const { admit, quota } = setUp({ requestsPerMinute: 3 }, 10);
  const waiting: Promise<Admission | Error>[] = [];
  for (let count = 0; count < 10; count++) waiting.push(admit().catch((error) => error));
  expect(quota.waiting).toBe(10);
  await expect(admit()).rejects.toMatchObject({ code: 'model_busy' });
});

test('a store that fails fails the call, and not the ones after it', async () => {
  const clock = createVirtualClock(1_800_000_000_000);
  const store = createMemoryQuotaStore({ now: clock.now });
  let isDown = true;
  const failing = {
    ...store,
    take: (call: Parameters<typeof store.take>[0]) =>
      isDown ? Promise.reject(new Error('down')) : store.take(call),
  };
  const quota: Quota = createQuota({ store: failing, maxWaiting: 10, now: clock.now, wait: clock.wait });
  const request = {
    id: 'x',
    scopes: [{ name: 'k', limits: { requestsPerMinute: 1 } }],
    tokens: 1,
    holdMs: 1,
    tenant: 't',
    priority: 'interactive' as const,
    untilMs: clock.now() + 1000,
  };
  const { signal } = new AbortController();
  await expect(quota.admit(request, signal)).rejects.toThrow('down');
  isDown = false;
  await quota.admit(request, signal);
});
