/**
 * The virtual clock for code that sets the platform's timers itself: they stand still until a test lets them run, so that
 * a busy machine changes no result. Code that takes its clock as an argument gets `virtual-clock.ts`.
 */
import { afterEach, beforeEach, vi } from 'vitest';

export interface FakeTimers {
  /** Lets time pass, from timer to timer, until `work` is settled. */
  run<T>(work: Promise<T>): Promise<T>;
  /** Lets so much time pass. */
  advance(ms: number): Promise<void>;
}

/** Installs them around each test of the file or `describe` that calls this. */
export function useFakeTimers(): FakeTimers {
  beforeEach(() => {
    const toFake = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] as const;
    vi.useFakeTimers({ toFake: [...toFake] });
  });
  afterEach(() => void vi.useRealTimers());
  return {
    async run(work) {
      let isSettled = false;
      const settled = () => {
        isSettled = true;
      };
      work.then(settled, settled);
      while (!isSettled) await vi.advanceTimersToNextTimerAsync();
      return work;
    },
    advance: async (ms) => void (await vi.advanceTimersByTimeAsync(ms)),
  };
}
