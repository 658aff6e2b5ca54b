import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createIdleTimer } from './idle-timer.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('is late once, after as long as was last expected', () => {
  const onLate = vi.fn();
  const patience = createIdleTimer(onLate);
  patience.expect(100);
  vi.advanceTimersByTime(90);
  patience.expect(100);
  vi.advanceTimersByTime(99);
  expect(onLate).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onLate).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1000);
  expect(onLate).toHaveBeenCalledTimes(1);
});

test('a shorter wait than the one before is kept, too', () => {
  const onLate = vi.fn();
  const patience = createIdleTimer(onLate);
  patience.expect(1000);
  patience.expect(10);
  vi.advanceTimersByTime(10);
  expect(onLate).toHaveBeenCalledTimes(1);
});

test('nothing is late while it rests, or once it has stopped', () => {
  const onLate = vi.fn();
  const patience = createIdleTimer(onLate);
  patience.expect(10);
  patience.rest();
  vi.advanceTimersByTime(100);
  expect(onLate).not.toHaveBeenCalled();
  patience.expect(10);
  patience.stop();
  vi.advanceTimersByTime(100);
  expect(onLate).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

test('sets one timer for many events', () => {
  const patience = createIdleTimer(() => undefined);
  for (let event = 0; event < 100; event++) {
    patience.expect(1000);
    vi.advanceTimersByTime(1);
  }
  expect(vi.getTimerCount()).toBe(1);
});
