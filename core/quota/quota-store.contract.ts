/** What every {@link QuotaStore} must do; run over each implementation. */
import { describe, expect, test } from 'vitest';
import { BURST, type QuotaLimits, type QuotaStore, SLICES_KEPT, type Taken } from './quota-store.ts';

export interface QuotaStoreUnderTest {
  store: QuotaStore;
  /** Of its slices, in milliseconds. */
  sliceMs: number;
  wait: (ms: number) => Promise<void>;
}

export function describeQuotaStore(name: string, makeStore: () => Promise<QuotaStoreUnderTest>): void {
  describe(name, () => {
    let count = 0;
    const call = (limits: QuotaLimits, tokens = 1, scope = 'a') => ({
      id: `call-${count++}`,
      scopes: [{ name: scope, limits }],
      tokens,
      holdMs: 60_000,
    });
    const granted = (taken: Taken) => taken.granted;

    test('without limits everything is granted', async () => {
      const { store } = await makeStore();
      for (let index = 0; index < 20; index++) expect((await store.take(call({}))).granted).toBe(true);
    });

    test('requests: a minute’s number, and one more when the first leaks out', async () => {
      const { store, sliceMs, wait } = await makeStore();
      const limits = { requestsPerMinute: 3 };
      const taken = await Promise.all([0, 1, 2, 3].map(() => store.take(call(limits))));
      expect(taken.filter(granted)).toHaveLength(3);
      const refused = taken.find(({ granted: yes }) => !yes) as { waitMs: number };
      expect(refused.waitMs).toBeGreaterThan((SLICES_KEPT - 2) * sliceMs);
      expect(refused.waitMs).toBeLessThanOrEqual(SLICES_KEPT * sliceMs);
      await wait(refused.waitMs + sliceMs);
      expect((await store.take(call(limits))).granted).toBe(true);
    });

    test('requests: no more at once than a burst', async () => {
      const { store, sliceMs, wait } = await makeStore();
      const limits = { requestsPerMinute: 60 };
      const taken = await Promise.all(Array.from({ length: 3 * BURST }, () => store.take(call(limits))));
      expect(taken.filter(granted).length).toBeLessThanOrEqual(2 * BURST);
      const refused = taken.at(-1) as { granted: false; waitMs: number };
      expect(refused.waitMs).toBeLessThanOrEqual(sliceMs);
      await wait(refused.waitMs + 1);
      expect((await store.take(call(limits))).granted).toBe(true);
    });

    test('tokens: an estimate is taken, and what was not used is given back', async () => {
      const { store } = await makeStore();
      const limits = { tokensPerMinute: 1000 };
      const first = call(limits, 800);
      const taken = (await store.take(first)) as { granted: true; atMs: number };
      expect((await store.take(call(limits, 300))).granted).toBe(false);
      await store.settle(first, taken.atMs, 100);
      await store.settle(first, taken.atMs, 0);
      expect((await store.take(call(limits, 900))).granted).toBe(true);
      expect((await store.take(call(limits, 1))).granted).toBe(false);
    });

    test('tokens: what was used beyond the estimate is taken, too', async () => {
      const { store } = await makeStore();
      const limits = { tokensPerMinute: 1000 };
      const first = call(limits, 100);
      const taken = (await store.take(first)) as { granted: true; atMs: number };
      await store.settle(first, taken.atMs, 950);
      expect((await store.take(call(limits, 100))).granted).toBe(false);
    });

    test('tokens: a call larger than a minute’s quota takes all of it', async () => {
      const { store } = await makeStore();
      const limits = { tokensPerMinute: 1000 };
      expect((await store.take(call(limits, 5000))).granted).toBe(true);
      expect((await store.take(call(limits, 1))).granted).toBe(false);
    });

    test('turns at once: a place comes back when its turn is settled, or its time is over', async () => {
      const { store, wait } = await makeStore();
      const limits = { turnsAtOnce: 2 };
      const first = call(limits);
      const taken = (await store.take(first)) as { granted: true; atMs: number };
      expect((await store.take({ ...call(limits), holdMs: 50 })).granted).toBe(true);
      expect((await store.take(call(limits))).granted).toBe(false);
      await store.settle(first, taken.atMs, 1);
      expect((await store.take(call(limits))).granted).toBe(true);
      expect((await store.take(call(limits))).granted).toBe(false);
      await wait(60);
      expect((await store.take(call(limits))).granted).toBe(true);
    });

    test('all scopes have room, or nothing is taken', async () => {
      const { store } = await makeStore();
      const wide = { name: 'wide', limits: { requestsPerMinute: 2 } };
      const narrow = { name: 'narrow', limits: { requestsPerMinute: 1 } };
      const both = () => ({ ...call({}), scopes: [wide, narrow] });
      const one = () => ({ ...call({}), scopes: [wide] });
      expect((await store.take(both())).granted).toBe(true);
      expect((await store.take(both())).granted).toBe(false);
      expect((await store.take(one())).granted).toBe(true);
      expect((await store.take(one())).granted).toBe(false);
    });

    test('what is blocked is not taken from until the time is over', async () => {
      const { store, wait } = await makeStore();
      const scopes = [{ name: 'a', limits: { requestsPerMinute: 100 } }];
      await store.block(scopes, 80);
      await store.block(scopes, 20);
      const refused = (await store.take(call({ requestsPerMinute: 100 }))) as {
        granted: false;
        waitMs: number;
      };
      expect(refused.waitMs).toBeGreaterThan(20);
      await wait(refused.waitMs + 1);
      expect((await store.take(call({ requestsPerMinute: 100 }))).granted).toBe(true);
    });

    test('another scope knows nothing of it', async () => {
      const { store } = await makeStore();
      const limits = { requestsPerMinute: 1 };
      expect((await store.take(call(limits))).granted).toBe(true);
      expect((await store.take(call(limits, 1, 'b'))).granted).toBe(true);
    });
  });
}
