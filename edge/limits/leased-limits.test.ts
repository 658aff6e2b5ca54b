import { beforeEach, expect, test, vi } from 'vitest';
import { createLeasedLimits, leaseSize, PARTS } from './leased-limits.ts';
import type { Limits, Reservation, SubjectLimits } from './limits.ts';
import { charged, emptyMeter, type MeterState, refusalOf } from './meter.ts';

let nowMs: number;
let stored: MeterState;
let calls: number;
let answered: number;
let settled: number;
let count: number;
/** What the store waits for before it answers; nothing, unless a test holds it up. */
let held: Promise<void>;
/** A store of one subject, that answers later. */
const store: Limits = {
  async reserve({ subjects, requests, tokens, micros }) {
    calls++;
    await held;
    answered++;
    const of = subjects[0]?.limits ?? {};
    const charge = { requests, tokens, micros };
    const refusal = refusalOf(stored, of, charge, 0, nowMs);
    if (refusal) return { granted: false, subject: 'tenant', ...refusal };
    stored = charged(stored, of, charge, nowMs);
    return { granted: true };
  },
  async settle() {
    settled++;
  },
};
beforeEach(() => {
  nowMs = 1e12;
  stored = emptyMeter;
  calls = 0;
  answered = 0;
  settled = 0;
  count = 0;
  held = Promise.resolve();
});
const open = () =>
  createLeasedLimits({
    limits: store,
    defer: () => undefined,
    now: () => nowMs,
    newId: () => `share-${count++}`,
  });
const plans = new Map<number, SubjectLimits>();
/** The same object for the same limit, as a plan has it. */
function limitsOf(requestsPerMinute: number): SubjectLimits {
  const limits = plans.get(requestsPerMinute) ?? {
    requestsPerMinute,
    tokensPerMinute: requestsPerMinute * 10,
  };
  plans.set(requestsPerMinute, limits);
  return limits;
}
const reservation = (requestsPerMinute: number): Reservation => ({
  id: `r-${count++}`,
  tenant: 't',
  subjects: [{ name: 'tenant', limits: limitsOf(requestsPerMinute) }],
  requests: 1,
  tokens: 10,
  micros: 0,
  holdMs: 1000,
});

test('a share is a small part of the smallest limit, and small limits have none', () => {
  expect(leaseSize(reservation(PARTS * 2 - 1))).toBe(1);
  expect(leaseSize(reservation(PARTS * 10))).toBe(10);
  expect(leaseSize(reservation(1e9))).toBe(200);
  expect(leaseSize({ ...reservation(1000), subjects: [{ name: 'u', limits: { turnsAtOnce: 4 } }] })).toBe(1);
});

test('most requests need no round trip', async () => {
  const limits = open();
  for (let index = 0; index < 100; index++)
    expect((await limits.reserve(reservation(1000))).granted).toBe(true);
  expect(calls).toBeLessThanOrEqual(5);
});

test('of 200 that race from four isolates for 60, no more than 60 come through', async () => {
  const isolates = Array.from({ length: 4 }, open);
  const racing = Array.from({ length: 200 }, (_, index) => isolates[index % 4]?.reserve(reservation(60)));
  const granted = (await Promise.all(racing)).filter((decision) => decision?.granted);
  expect(granted.length).toBeLessThanOrEqual(60);
  expect(granted.length).toBeGreaterThanOrEqual(60 - 4 * 3);
});

test('who asks on and on waits for the first share alone, and the next is asked for once', async () => {
  const limits = open();
  await limits.reserve(reservation(1000));
  nowMs += 7499;
  await limits.reserve(reservation(1000));
  expect(calls).toBe(1);
  nowMs += 1;
  const { promise, resolve: answer } = Promise.withResolvers<void>();
  held = promise;
  await limits.reserve(reservation(1000));
  await limits.reserve(reservation(1000));
  expect({ calls, answered }).toEqual({ calls: 2, answered: 1 });
  answer();
  await vi.waitFor(() => expect(answered).toBe(2));
  nowMs += 2500;
  await limits.reserve(reservation(1000));
  expect({ calls, answered }).toEqual({ calls: 2, answered: 2 });
});

test('a share is settled in the store once, when all of it is settled or it expires', async () => {
  const limits = open();
  const made = Array.from({ length: 3 }, () => reservation(1000));
  for (const one of made) await limits.reserve(one);
  for (const { id } of made) await limits.settle({ id, tenant: 't', tokens: 5, micros: 0 });
  expect(settled).toBe(0);
  nowMs += 10_001;
  await limits.reserve(reservation(1000));
  expect(settled).toBe(1);
});

test('a call that used more than the whole share is settled in the store at once', async () => {
  const limits = open();
  const made = reservation(1000);
  await limits.reserve(made);
  await limits.settle({ id: made.id, tenant: 't', tokens: 10 * leaseSize(made) + 1, micros: 0 });
  expect(settled).toBe(1);
  await limits.reserve(reservation(1000));
  expect({ calls, settled }).toEqual({ calls: 2, settled: 1 });
});

test('expired shares of others are settled with the next one that is taken', async () => {
  const limits = open();
  for (const tenant of ['a', 'b', 'c']) {
    const made = { ...reservation(1000), tenant };
    await limits.reserve(made);
    await limits.settle({ id: made.id, tenant, tokens: 5, micros: 0 });
  }
  nowMs += 10_001;
  await limits.reserve(reservation(1000));
  expect(settled).toBe(3);
});

test('who has another plan has another share', async () => {
  const limits = open();
  await limits.reserve(reservation(1000));
  await limits.reserve(reservation(2000));
  expect(calls).toBe(2);
});

test('a call that is larger than those the share was made for goes to the store itself', async () => {
  const limits = open();
  await limits.reserve(reservation(1000));
  const before = calls;
  await limits.reserve({ ...reservation(1000), tokens: 11 });
  expect(calls).toBe(before + 1);
});

test('a reservation that never ends, as its request was cancelled, stops later shares for 5 s at most', async () => {
  let isHanging = true;
  const limits = createLeasedLimits({
    limits: {
      ...store,
      reserve: (wanted) => (isHanging ? new Promise(() => undefined) : store.reserve(wanted)),
    },
    defer: () => undefined,
    now: () => nowMs,
    newId: () => `share-${count++}`,
  });
  void limits.reserve(reservation(1000));
  isHanging = false;
  nowMs += 5000;
  for (let index = 0; index < 20; index++) await limits.reserve(reservation(1000));
  expect(calls).toBe(1);
});
