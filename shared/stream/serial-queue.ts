/**
 * Runs work one after another, in the order in which it comes. Owns the work that waits.
 * By hand: queue libraries bring timers and event emitters to the Worker for what is one promise chain here.
 */
export interface SerialQueue {
  /** @returns what `work` returns; a failure reaches its own caller only, and the next work runs all the same */
  run<T>(work: () => Promise<T> | T): Promise<T>;
  /** Resolves when nothing runs or waits any more. Never rejects. */
  idle(): Promise<void>;
}

/** Work of one key runs one after another; work of different keys runs at the same time. */
export interface KeyedSerialQueue {
  run<T>(key: string, work: () => Promise<T> | T): Promise<T>;
  /** How many keys have work. */
  readonly size: number;
}

export function createSerialQueue(): SerialQueue {
  let last: Promise<unknown> = Promise.resolve();
  return {
    run(work) {
      const result = last.then(work);
      last = result.catch(() => undefined);
      return result;
    },
    async idle() {
      for (let seen: unknown; seen !== last; ) {
        seen = last;
        await last;
      }
    },
  };
}

export function createKeyedSerialQueue(): KeyedSerialQueue {
  const lasts = new Map<string, Promise<unknown>>();
  return {
    run(key, work) {
      const result = (lasts.get(key) ?? Promise.resolve()).then(work);
      const last = result
        .catch(() => undefined)
        .then(() => {
          // A key without work takes no memory.
          if (lasts.get(key) === last) lasts.delete(key);
        });
      lasts.set(key, last);
      return result;
    },
    get size() {
      return lasts.size;
    },
  };
}
