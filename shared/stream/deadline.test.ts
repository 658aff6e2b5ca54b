import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startDeadline } from './deadline.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('is aborted when the time is up', () => {
  const { signal } = startDeadline(100);
  vi.advanceTimersByTime(99);
  expect(signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(signal.reason).toMatchObject({ name: 'TimeoutError' });
});

test('is aborted with the other signal, also with one that was aborted before', () => {
  const outer = new AbortController();
  const { signal } = startDeadline(100, outer.signal);
  outer.abort('stop');
  expect(signal.reason).toBe('stop');
  expect(startDeadline(100, outer.signal).signal.aborted).toBe(true);
});

test('leaves no timer behind once it is cleared', () => {
  const outer = new AbortController();
  const deadline = startDeadline(100, outer.signal);
  deadline.clear();
  expect(vi.getTimerCount()).toBe(0);
  outer.abort();
  expect(deadline.signal.aborted).toBe(false);
});
