/** Whether the network seems to be there, and the moments at which it is worth trying again at once. */
import { type Signal, signal } from '@preact/signals';

export interface Network {
  readonly online: Signal<boolean>;
  /** Calls back when the page comes to the front or the network comes back. @returns what ends that */
  onWake(callback: () => void): () => void;
  /** Resolves after that long, or when there is a reason to try at once. */
  wait(ms: number): Promise<void>;
  untilOnline(): Promise<void>;
}

export function createNetwork(): Network {
  const online = signal(navigator.onLine);
  const callbacks = new Set<() => void>();
  const wake = () => {
    for (const callback of [...callbacks]) callback();
  };
  addEventListener('online', () => {
    online.value = true;
    wake();
  });
  addEventListener('offline', () => {
    online.value = false;
  });
  addEventListener('pageshow', wake);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') wake();
  });

  const onWake = (callback: () => void) => {
    callbacks.add(callback);
    return () => void callbacks.delete(callback);
  };
  const wait = (ms: number) =>
    new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        forget();
        resolve();
      };
      const timer = setTimeout(end, ms);
      const forget = onWake(end);
    });
  return {
    online,
    onWake,
    wait,
    async untilOnline() {
      while (!online.value) await wait(30_000);
    },
  };
}
