import { expect, test } from 'vitest';
import { linkedAbortController } from './linked-abort-controller.ts';

test('is aborted with the other signal, for its reason, or by itself', () => {
  const outer = new AbortController();
  const one = linkedAbortController(outer.signal);
  const other = linkedAbortController(outer.signal);
  other.abort();
  expect([one.signal.aborted, other.signal.aborted, outer.signal.aborted]).toEqual([false, true, false]);
  outer.abort('over');
  expect(one.signal.aborted).toBe(true);
  expect(one.signal.reason).toBe('over');
});

test('follows one that was aborted before', () => {
  expect(linkedAbortController(AbortSignal.abort()).signal.aborted).toBe(true);
});

test('hears no more of it once it has stopped following', () => {
  const outer = new AbortController();
  const one = linkedAbortController(outer.signal);
  one.unfollow();
  outer.abort();
  expect(one.signal.aborted).toBe(false);
});
