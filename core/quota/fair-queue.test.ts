import { expect, test } from 'vitest';
import { createFairQueue, type Priority, type Waiting } from './fair-queue.ts';

interface Entry extends Waiting {
  name: string;
}
const entry = (tenant: string, name: string, priority: Priority = 'interactive'): Entry => ({
  tenant,
  name,
  priority,
});
function drain(queue: ReturnType<typeof createFairQueue<Entry>>): string[] {
  const names: string[] = [];
  for (let next = queue.peek(); next; next = queue.peek()) {
    names.push(next.name);
    queue.remove(next);
  }
  return names;
}

test('tenants take turns, each in the order they came', () => {
  const queue = createFairQueue<Entry>();
  for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'b2']) queue.push(entry(name.charAt(0), name));
  expect(drain(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
});

test('a higher class goes first, whoever is in it', () => {
  const queue = createFairQueue<Entry>();
  queue.push(entry('a', 'batch', 'batch'));
  queue.push(entry('b', 'background', 'background'));
  queue.push(entry('a', 'first'));
  queue.push(entry('b', 'second'));
  expect(drain(queue)).toEqual(['first', 'second', 'background', 'batch']);
});

test('it predicts how many go before a new call', () => {
  const queue = createFairQueue<Entry>();
  let seed = 7;
  for (let count = 0; count < 40; count++) {
    seed = (seed * 48_271) % 2_147_483_647;
    const priority: Priority = seed % 3 === 0 ? 'batch' : 'interactive';
    const newest = entry('abc'.charAt(seed % 3), `n${count}`, priority);
    const ahead = queue.ahead(newest);
    queue.push(newest);
    if (count === 39) {
      const order = drain(queue);
      // A tenant that has just had its turn may be one place better or worse off.
      expect(Math.abs(order.indexOf('n39') - ahead)).toBeLessThanOrEqual(2);
    }
  }
});

test('one that leaves is gone, and only once', () => {
  const queue = createFairQueue<Entry>();
  const leaving = entry('a', 'leaving');
  queue.push(leaving);
  queue.push(entry('a', 'staying'));
  expect(queue.remove(leaving)).toBe(true);
  expect(queue.remove(leaving)).toBe(false);
  expect(queue.size).toBe(1);
  expect(drain(queue)).toEqual(['staying']);
});
