import { expect, test } from 'vitest';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import { createKeyedSerialQueue, createSerialQueue } from './serial-queue.ts';

function recorder() {
  const clock = createVirtualClock(0);
  const lines: string[] = [];
  const work = (name: string, ms: number) => async () => {
    lines.push(`${name} begins at ${clock.now()}`);
    await clock.wait(ms);
    lines.push(`${name} ends at ${clock.now()}`);
    return name;
  };
  return { clock, lines, work };
}

test('work runs one after another in its order', async () => {
  const { clock, lines, work } = recorder();
  const queue = createSerialQueue();
  const results = Promise.all([queue.run(work('a', 20)), queue.run(work('b', 5))]);
  await clock.advance(100);
  expect(await results).toEqual(['a', 'b']);
  expect(lines).toEqual(['a begins at 0', 'a ends at 20', 'b begins at 20', 'b ends at 25']);
});

test('a failure reaches its own caller only', async () => {
  const queue = createSerialQueue();
  const failed = queue.run(() => Promise.reject(new Error('broken')));
  const next = queue.run(() => 'fine');
  await expect(failed).rejects.toThrow('broken');
  expect(await next).toBe('fine');
});

test('idle waits also for work that comes while it waits', async () => {
  const { clock, lines, work } = recorder();
  const queue = createSerialQueue();
  void queue.run(work('a', 10));
  const idle = queue.idle().then(() => lines.push('idle'));
  void queue.run(work('b', 10));
  await clock.advance(100);
  await idle;
  expect(lines.at(-1)).toBe('idle');
  expect(lines).toHaveLength(5);
});

test('keys do not wait for each other, and are forgotten when their work is done', async () => {
  const { clock, lines, work } = recorder();
  const queue = createKeyedSerialQueue();
  void queue.run('one', work('a', 20));
  void queue.run('one', work('b', 5));
  void queue.run('two', work('c', 5));
  expect(queue.size).toBe(2);
  await clock.advance(100);
  expect(lines).toEqual([
    'a begins at 0',
    'c begins at 0',
    'c ends at 5',
    'a ends at 20',
    'b begins at 20',
    'b ends at 25',
  ]);
  expect(queue.size).toBe(0);
});

test('work of a key runs after a failure of the same key', async () => {
  const queue = createKeyedSerialQueue();
  const failed = queue.run('one', () => Promise.reject(new Error('broken')));
  const next = queue.run('one', () => 'fine');
  await expect(failed).rejects.toThrow('broken');
  expect(await next).toBe('fine');
});
