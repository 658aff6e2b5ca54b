import { expect, test } from 'vitest';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import { backoffMs, retry, retryDelayMs } from './backoff.ts';

const policy = { firstMs: 100, maxMs: 1000 };
const highest = () => 0.999_999;

test('the bound of the wait doubles up to the longest', () => {
  const bounds = [0, 1, 2, 3, 4, 50].map((failures) => Math.ceil(backoffMs(failures, policy, highest)));
  expect(bounds).toEqual([100, 200, 400, 800, 1000, 1000]);
});

test('the jitter is full: the wait may be anything from nothing to the bound', () => {
  expect(backoffMs(2, policy, () => 0)).toBe(0);
  expect(backoffMs(2, policy, () => 0.5)).toBe(200);
});

test('the wait is whole milliseconds, since stores keep times as integers', () => {
  expect(backoffMs(0, policy, () => 0.123_456)).toBe(12);
});

test('Retry-After stands in place of the backoff, and ends the tries when it is too long', () => {
  expect(retryDelayMs({ failures: 0, retryAfterMs: 700 }, policy, highest)).toBe(700);
  expect(retryDelayMs({ failures: 0, retryAfterMs: 1001 }, policy, highest)).toBeUndefined();
  expect(retryDelayMs({ failures: 1 }, policy, () => 0.5)).toBe(100);
});

/** Fails so many times, and remembers when it was called. */
function failing(times: number) {
  const clock = createVirtualClock(0);
  const calledAtMs: number[] = [];
  const work = async (failures: number) => {
    expect(failures).toBe(calledAtMs.length);
    calledAtMs.push(clock.now());
    if (calledAtMs.length <= times) throw new Error(`failure ${calledAtMs.length}`);
    return 'done';
  };
  const loop = { policy, now: clock.now, wait: clock.wait, random: () => 0.5 };
  return { clock, calledAtMs, work, loop };
}

test('retries until the work succeeds, with growing waits', async () => {
  const { clock, calledAtMs, work, loop } = failing(3);
  const result = retry(work, loop);
  await clock.advance(1000);
  expect(await result).toBe('done');
  expect(calledAtMs).toEqual([0, 50, 150, 350]);
});

test('throws the last error after the allowed retries', async () => {
  const { clock, calledAtMs, work, loop } = failing(9);
  const result = retry(work, { ...loop, maxRetries: 2 }).catch((error: Error) => error.message);
  await clock.advance(1000);
  expect(await result).toBe('failure 3');
  expect(calledAtMs).toHaveLength(3);
});

test('begins no try after its time', async () => {
  const { clock, calledAtMs, work, loop } = failing(9);
  const result = retry(work, { ...loop, untilMs: 150 }).catch((error: Error) => error.message);
  await clock.advance(1000);
  expect(await result).toBe('failure 2');
  expect(calledAtMs).toEqual([0, 50]);
});

test('does not retry what another try cannot mend, and waits as long as the upstream says', async () => {
  const { work, loop } = failing(1);
  await expect(retry(work, { ...loop, canRetry: () => false })).rejects.toThrow('failure 1');
  const second = failing(1);
  const result = retry(second.work, { ...second.loop, canRetry: () => ({ retryAfterMs: 600 }) });
  await second.clock.advance(1000);
  expect(await result).toBe('done');
  expect(second.calledAtMs).toEqual([0, 600]);
});

test('an abort during the wait ends the loop at once', async () => {
  const { clock, calledAtMs, work, loop } = failing(9);
  const stop = new AbortController();
  const result = retry(work, { ...loop, signal: stop.signal }).catch((error: Error) => error.message);
  await clock.advance(10);
  stop.abort();
  expect(await result).toBe('failure 1');
  await clock.advance(1000);
  expect(calledAtMs).toEqual([0]);
});
