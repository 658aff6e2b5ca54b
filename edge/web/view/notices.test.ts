import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { dismiss, notices, notify } from './notices.ts';

beforeEach(() => {
  notices.value = [];
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());
const texts = () => notices.value.map(({ text }) => text);

test('a notice stays for six seconds', () => {
  notify('Saved.');
  vi.advanceTimersByTime(5999);
  expect(texts()).toEqual(['Saved.']);
  vi.advanceTimersByTime(1);
  expect(texts()).toEqual([]);
});

test('the same words again are one notice, which stays for its own time', () => {
  notify('Saved.');
  notify('Copied.');
  vi.advanceTimersByTime(4000);
  const run = vi.fn();
  notify('Saved.', { label: 'Undo', run });
  expect(texts()).toEqual(['Copied.', 'Saved.']);
  expect(notices.value[1]?.action?.label).toBe('Undo');
  vi.advanceTimersByTime(2000);
  expect(texts()).toEqual(['Saved.']);
  vi.advanceTimersByTime(4000);
  expect(texts()).toEqual([]);
});

test('one that is dismissed is gone, and the others stay', () => {
  notify('One.');
  notify('Two.');
  dismiss(notices.value[0]?.id ?? -1);
  expect(texts()).toEqual(['Two.']);
});
