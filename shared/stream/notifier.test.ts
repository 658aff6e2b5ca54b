import { expect, test } from 'vitest';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import { createNotifier } from './notifier.ts';

test('a change wakes everyone who waits, once', async () => {
  const notifier = createNotifier();
  const woken: string[] = [];
  void notifier.changed().then(() => woken.push('a'));
  void notifier.changed().then(() => woken.push('b'));
  notifier.notify();
  const after = notifier.changed().then(() => woken.push('c'));
  await Promise.resolve();
  expect(woken).toEqual(['a', 'b']);
  notifier.notify();
  await after;
  expect(woken).toEqual(['a', 'b', 'c']);
});

test('waits until a condition holds, and looks at it first', async () => {
  const clock = createVirtualClock(0);
  const notifier = createNotifier();
  let count = 0;
  await notifier.until(() => true);
  const reached = notifier.until(() => count >= 2).then(() => clock.now());
  for (const atMs of [10, 20, 30])
    void clock.wait(atMs).then(() => {
      count++;
      notifier.notify();
    });
  await clock.advance(100);
  expect(await reached).toBe(20);
});

test('a change cuts a pause short', async () => {
  const clock = createVirtualClock(0);
  const notifier = createNotifier();
  const signal = notifier.nextSignal();
  const paused = clock.wait(1000, signal);
  notifier.notify();
  await paused;
  expect(signal.aborted).toBe(true);
  expect(notifier.nextSignal().aborted).toBe(false);
});

test('an abort ends one wait and leaves the others', async () => {
  const notifier = createNotifier();
  const stop = new AbortController();
  let isOver = false;
  const left = notifier.until(() => false, stop.signal);
  const stays = notifier.until(() => isOver);
  stop.abort();
  await left;
  await notifier.until(() => false, stop.signal);
  isOver = true;
  notifier.notify();
  await stays;
});
