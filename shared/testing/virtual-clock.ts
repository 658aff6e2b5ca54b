/** A clock that stands still until a test moves it, and the waits that hang on it. */

export interface VirtualClock {
  /** Unix time in milliseconds. */
  now(): number;
  wait(ms: number, signal?: AbortSignal): Promise<void>;
  /** Moves from wait to wait, letting what each one wakes run first, for so long. */
  advance(ms: number): Promise<void>;
}

export function createVirtualClock(startMs: number): VirtualClock {
  let nowMs = startMs;
  const waits = new Set<{ atMs: number; end: () => void }>();
  /** What is woken may itself wait for several promises before it waits for the clock again. */
  const settle = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

  return {
    now: () => nowMs,
    wait(ms, signal) {
      if (signal?.aborted) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      const entry = {
        atMs: nowMs + ms,
        end() {
          waits.delete(entry);
          resolve();
        },
      };
      waits.add(entry);
      signal?.addEventListener('abort', entry.end, { once: true });
      return promise;
    },
    async advance(ms) {
      const endMs = nowMs + ms;
      for (;;) {
        await settle();
        const next = [...waits].sort((one, other) => one.atMs - other.atMs)[0];
        if (!next || next.atMs > endMs) break;
        nowMs = next.atMs;
        next.end();
      }
      nowMs = endMs;
    },
  };
}
