import { expect, test } from 'vitest';
import { createVirtualClock } from '../../shared/testing/virtual-clock.ts';
import { createMemoryQuotaStore } from './memory-quota-store.ts';
import { describeQuotaStore } from './quota-store.contract.ts';

describeQuotaStore('quotas in memory', async () => {
  const clock = createVirtualClock(1_800_000_000_123);
  return { store: createMemoryQuotaStore({ now: clock.now }), sliceMs: 1000, wait: clock.advance };
});

test('no minute, wherever it begins, sees more than the quota', async () => {
  const clock = createVirtualClock(1_800_000_000_000);
  const store = createMemoryQuotaStore({ now: clock.now });
  const scopes = [{ name: 'a', limits: { requestsPerMinute: 7 } }];
  const grantedAtMs: number[] = [];
  let seed = 1;
  for (let count = 0; count < 3000; count++) {
    seed = (seed * 48_271) % 2_147_483_647;
    await clock.advance(seed % 900);
    const taken = await store.take({ id: String(count), scopes, tokens: 1, holdMs: 1 });
    if (taken.granted) grantedAtMs.push(clock.now());
  }
  for (const [index, atMs] of grantedAtMs.entries()) {
    const seventhAfter = grantedAtMs[index + 7];
    if (seventhAfter !== undefined) expect(seventhAfter - atMs).toBeGreaterThan(61_000);
  }
  // And nearly all of it is used.
  const minutes = ((grantedAtMs.at(-1) ?? 0) - (grantedAtMs[0] ?? 0)) / 60_000;
  expect(grantedAtMs.length / minutes).toBeGreaterThan(6.4);
}, 60_000);
