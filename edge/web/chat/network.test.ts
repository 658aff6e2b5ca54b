import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { browser } from '../testing/browser-globals.ts';
import { settled } from '../testing/fake-network.ts';
import { createNetwork, type Network } from './network.ts';

let network: Network;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  browser.navigator.onLine = true;
  browser.document.visibilityState = 'visible';
  network = createNetwork();
});
afterEach(() => void vi.useRealTimers());

function watch(promise: Promise<void>): { isDone: () => Promise<boolean> } {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  return {
    async isDone() {
      await settled();
      return done;
    },
  };
}

test('follows the browser', () => {
  expect(network.online.value).toBe(true);
  browser.window.dispatchEvent(new Event('offline'));
  expect(network.online.value).toBe(false);
  browser.window.dispatchEvent(new Event('online'));
  expect(network.online.value).toBe(true);
  browser.navigator.onLine = false;
  expect(createNetwork().online.value).toBe(false);
});

test('a wait ends after its time', async () => {
  const wait = watch(network.wait(1000));
  vi.advanceTimersByTime(999);
  expect(await wait.isDone()).toBe(false);
  vi.advanceTimersByTime(1);
  expect(await wait.isDone()).toBe(true);
});

test.each([
  ['the network comes back', () => browser.window.dispatchEvent(new Event('online'))],
  ['the page is shown again', () => browser.window.dispatchEvent(new Event('pageshow'))],
  ['the page comes to the front', () => browser.document.dispatchEvent(new Event('visibilitychange'))],
])('a wait ends at once when %s, and leaves no timer', async (_name, happens) => {
  const wait = watch(network.wait(1000));
  expect(await wait.isDone()).toBe(false);
  happens();
  expect(await wait.isDone()).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test('a page that goes to the back wakes nobody', () => {
  const callback = vi.fn();
  network.onWake(callback);
  browser.document.visibilityState = 'hidden';
  browser.document.dispatchEvent(new Event('visibilitychange'));
  browser.window.dispatchEvent(new Event('offline'));
  expect(callback).not.toHaveBeenCalled();
});

test('who has ended its watch is not called any more', () => {
  const [stays, goes] = [vi.fn(), vi.fn()];
  network.onWake(stays);
  network.onWake(goes)();
  browser.window.dispatchEvent(new Event('pageshow'));
  expect([stays.mock.calls.length, goes.mock.calls.length]).toEqual([1, 0]);
});

test('waiting for the network goes on over a wake-up without it', async () => {
  browser.window.dispatchEvent(new Event('offline'));
  const wait = watch(network.untilOnline());
  browser.window.dispatchEvent(new Event('pageshow'));
  expect(await wait.isDone()).toBe(false);
  browser.window.dispatchEvent(new Event('online'));
  expect(await wait.isDone()).toBe(true);
});
