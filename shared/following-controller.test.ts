import { expect, test } from 'vitest';
import { followingController } from './following-controller.ts';

test('is aborted with the other signal, for its reason, or by itself', () => {
  const outer = new AbortController();
  const one = followingController(outer.signal);
  const other = followingController(outer.signal);
  other.abort();
  expect([one.signal.aborted, other.signal.aborted, outer.signal.aborted]).toEqual([false, true, false]);
  outer.abort('over');
  expect(one.signal.aborted).toBe(true);
  expect(one.signal.reason).toBe('over');
});

test('follows one that was aborted before', () => {
  expect(followingController(AbortSignal.abort()).signal.aborted).toBe(true);
});

test('hears no more of it once it has stopped following', () => {
  const outer = new AbortController();
  const one = followingController(outer.signal);
  one.unfollow();
  outer.abort();
  expect(one.signal.aborted).toBe(false);
});
