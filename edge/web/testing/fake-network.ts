import { signal } from '@preact/signals';
import type { Network } from '../chat/network.ts';

export interface FakeNetwork extends Network {
  /** The waits that were asked for and have not ended, in milliseconds. */
  readonly waits: readonly number[];
  /** Ends every wait, as the time or a wake-up does. */
  wake(): void;
}

export function fakeNetwork(isOnline = true): FakeNetwork {
  const online = signal(isOnline);
  const callbacks = new Set<() => void>();
  const waits: { ms: number; end: () => void }[] = [];
  return {
    online,
    get waits() {
      return waits.map(({ ms }) => ms);
    },
    wake() {
      for (const { end } of waits.splice(0)) end();
      for (const callback of [...callbacks]) callback();
    },
    onWake(callback) {
      callbacks.add(callback);
      return () => void callbacks.delete(callback);
    },
    wait: (ms) => new Promise((end) => waits.push({ ms, end })),
    async untilOnline() {
      while (!online.value) await this.wait(30_000);
    },
  };
}

/** Lets everything run that waits for nothing but promises. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}
