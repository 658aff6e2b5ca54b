import { effect, signal } from '@preact/signals';
import { beforeEach, expect, test } from 'vitest';
import { browser } from '../testing/browser-globals.ts';
import { createTextGatherer } from './text-gatherer.ts';

beforeEach(() => {
  browser.document.hidden = false;
  browser.drawFrame();
});

test('pieces of one frame are one change', () => {
  const gatherer = createTextGatherer();
  const [text, other] = [signal('a'), signal('')];
  const seen: string[] = [];
  effect(() => void seen.push(`${text.value}|${other.value}`));
  gatherer.append(text, 'b');
  gatherer.append(other, 'x');
  gatherer.append(text, 'c');
  expect([seen, browser.waitingFrames]).toEqual([['a|'], 1]);
  browser.drawFrame();
  expect([seen, browser.waitingFrames]).toEqual([['a|', 'abc|x'], 0]);
});

test('a page in the background, which gets no frames, changes at once', () => {
  browser.document.hidden = true;
  const text = signal('');
  createTextGatherer().append(text, 'a');
  expect([text.value, browser.waitingFrames]).toEqual(['a', 0]);
});

test('a flush shows what is gathered, once', () => {
  const gatherer = createTextGatherer();
  const text = signal('');
  gatherer.append(text, 'a');
  gatherer.flush();
  gatherer.flush();
  browser.drawFrame();
  expect(text.value).toBe('a');
});

test('a stop lets it go', () => {
  const gatherer = createTextGatherer();
  const text = signal('');
  gatherer.append(text, 'a');
  gatherer.stop();
  browser.drawFrame();
  gatherer.flush();
  expect(text.value).toBe('');
});
