/** What every {@link Limits} must do; run over each implementation. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Limits, Reservation, SubjectLimits } from './limits.ts';

/** @param open Creates limits that use the given clock. */
export function describeLimits(name: string, open: (now: () => number) => Limits): void {
  describe(name, () => {
    let limits: Limits;
    let nowMs: number;
    let tenant: string;
    let count: number;
    beforeEach(() => {
      nowMs = Date.UTC(2026, 10, 21, 12);
      tenant = `tenant-${crypto.randomUUID()}`;
      count = 0;
      limits = open(() => nowMs);
    });
    const reservation = (of: SubjectLimits, more: Partial<Reservation> = {}): Reservation => ({
      id: `${tenant}-${count++}`,
      tenant,
      subjects: [{ name: 'user:ann', limits: of }],
      requests: 1,
      tokens: 10,
      micros: 100,
      holdMs: 60_000,
      ...more,
    });
    const reserve = (of: SubjectLimits, more: Partial<Reservation> = {}) =>
      limits.reserve(reservation(of, more));
    const grants = async (times: number, of: SubjectLimits, more: Partial<Reservation> = {}) => {
      let granted = 0;
      for (let time = 0; time < times; time++) if ((await reserve(of, more)).granted) granted++;
      return granted;
    };

    test('without limits everything is granted', async () => {
      expect(await grants(20, {})).toBe(20);
    });

    test('requests: so many a minute, and then one at a time as the bucket leaks', async () => {
      const of = { requestsPerMinute: 6 };
      expect(await grants(10, of)).toBe(6);
      const refused = await reserve(of);
      expect(refused).toMatchObject({
        granted: false,
        name: 'requests',
        subject: 'user:ann',
        state: { limit: 6, remaining: 0 },
      });
      expect(refused.granted ? 0 : refused.retryAfterMs).toBeGreaterThan(9000);
      expect(refused.granted ? 0 : refused.retryAfterMs).toBeLessThanOrEqual(10_000);
      nowMs += 10_001;
      expect(await grants(3, of)).toBe(1);
      nowMs += 60_001;
      expect(await grants(10, of)).toBe(6);
    });

    test('a reservation may be for several requests', async () => {
      const of = { requestsPerMinute: 10 };
      expect(await reserve(of, { requests: 8 })).toMatchObject({ granted: true, requests: { remaining: 2 } });
      expect(await reserve(of, { requests: 3 })).toMatchObject({ granted: false, name: 'requests' });
      expect(await grants(5, of)).toBe(2);
    });

    test('tokens: reserved from an estimate, put right by what was used', async () => {
      const of = { tokensPerMinute: 1000 };
      const first = reservation(of, { tokens: 900 });
      expect(await limits.reserve(first)).toMatchObject({ granted: true, tokens: { limit: 1000 } });
      expect(await reserve(of, { tokens: 200 })).toMatchObject({ granted: false, name: 'tokens' });
      await limits.settle({ id: first.id, tenant, tokens: 300, micros: 0 });
      expect(await reserve(of, { tokens: 200 })).toMatchObject({ granted: true });
    });

    test('a settlement counts once, and one that nobody knows not at all', async () => {
      const of = { tokensPerMinute: 1000, microsPerDay: 1000 };
      const first = reservation(of, { tokens: 800, micros: 800 });
      await limits.reserve(first);
      await limits.settle({ id: 'nobody', tenant, tokens: 0, micros: 0 });
      expect(await reserve(of, { tokens: 300, micros: 0 })).toMatchObject({ granted: false });
      await limits.settle({ id: first.id, tenant, tokens: 800, micros: 800 });
      await limits.settle({ id: first.id, tenant, tokens: 0, micros: 0 });
      expect(await reserve(of, { tokens: 300, micros: 0 })).toMatchObject({ granted: false });
    });

    test('a reservation made twice is one', async () => {
      const of = { requestsPerMinute: 1 };
      const first = reservation(of);
      expect(await limits.reserve(first)).toMatchObject({ granted: true });
      expect(await limits.reserve(first)).toMatchObject({ granted: true });
      expect(await reserve(of)).toMatchObject({ granted: false });
    });

    test('turns at once: a place comes back when a turn is settled, or is never heard of again', async () => {
      const of = { turnsAtOnce: 2 };
      const first = reservation(of);
      await limits.reserve(first);
      await reserve(of);
      expect(await reserve(of)).toMatchObject({ granted: false, name: 'turns' });
      await limits.settle({ id: first.id, tenant, tokens: 0, micros: 0 });
      expect(await reserve(of)).toMatchObject({ granted: true });
      expect(await reserve(of)).toMatchObject({ granted: false });
      nowMs += 60_001;
      expect(await grants(3, of)).toBe(2);
    });

    test('spend: by the day and the month of UTC; what a turn did not cost is given back', async () => {
      const of = { microsPerDay: 1000, microsPerMonth: 2500 };
      const first = reservation(of, { micros: 1000 });
      await limits.reserve(first);
      const refused = await reserve(of, { micros: 1 });
      expect(refused).toMatchObject({ granted: false, name: 'day', retryAfterMs: 12 * 3_600_000 });
      await limits.settle({ id: first.id, tenant, tokens: 0, micros: 400 });
      expect(await reserve(of, { micros: 600 })).toMatchObject({ granted: true });
      nowMs += 86_400_000;
      expect(await reserve(of, { micros: 1000 })).toMatchObject({ granted: true });
      nowMs += 86_400_000;
      expect(await reserve(of, { micros: 600 })).toMatchObject({ granted: false, name: 'month' });
      nowMs = Date.UTC(2026, 11, 1);
      expect(await reserve(of, { micros: 600 })).toMatchObject({ granted: true });
    });

    test('of several subjects all must have room, or none is charged', async () => {
      const subjects = (user: string) => [
        { name: `user:${user}`, limits: { requestsPerMinute: 2 } },
        { name: 'tenant', limits: { requestsPerMinute: 3 } },
      ];
      expect(await grants(3, {}, { subjects: subjects('ann') })).toBe(2);
      expect(await grants(3, {}, { subjects: subjects('ben') })).toBe(1);
      expect(await reserve({}, { subjects: subjects('ben') })).toMatchObject({
        granted: false,
        subject: 'tenant',
      });
      // Ben was refused for the tenant's sake, and has one left of his own.
      expect(
        await reserve(
          { requestsPerMinute: 2 },
          { subjects: [{ name: 'user:ben', limits: { requestsPerMinute: 2 } }] },
        ),
      ).toMatchObject({
        granted: true,
      });
    });

    test('tenants do not count for each other', async () => {
      const of = { requestsPerMinute: 1 };
      expect(await reserve(of)).toMatchObject({ granted: true });
      expect(await reserve(of, { tenant: `${tenant}x` })).toMatchObject({ granted: true });
      expect(await reserve(of)).toMatchObject({ granted: false });
    });

    test('of 200 that race for 50 places exactly 50 come through', async () => {
      for (const of of [
        { requestsPerMinute: 50 },
        { microsPerDay: 5000 },
        { turnsAtOnce: 50 },
        { tokensPerMinute: 500 },
      ]) {
        const decisions = await Promise.all(
          Array.from({ length: 200 }, () =>
            reserve({}, { subjects: [{ name: `race:${Object.keys(of)[0]}`, limits: of }] }),
          ),
        );
        expect(
          decisions.filter(({ granted }) => granted),
          Object.keys(of)[0],
        ).toHaveLength(50);
      }
    });
  });
}
