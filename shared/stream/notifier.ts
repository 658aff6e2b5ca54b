/**
 * Wakes whoever waits for a change. Owns the promise and the signal of the next change, which are made when needed.
 * In a Worker all waiters must belong to one request, or to one Durable Object: workerd lets no two requests share a
 * promise.
 */
export interface Notifier {
  /** Something changed. */
  notify(): void;
  /** Resolves at the next {@link notify}. Take it before you look at the state, or use {@link until}. */
  changed(): Promise<void>;
  /** Aborted at the next {@link notify}: it cuts a pause short. Take it before you look at the state. */
  nextSignal(): AbortSignal;
  /** Resolves when `isTrue` is, looked at now and after each change, or when the signal is aborted. */
  until(isTrue: () => boolean, signal?: AbortSignal): Promise<void>;
}

export function createNotifier(): Notifier {
  let next: PromiseWithResolvers<void> | undefined;
  let nextAbort: AbortController | undefined;

  function notify(): void {
    const waited = next;
    const aborted = nextAbort;
    next = undefined;
    nextAbort = undefined;
    waited?.resolve();
    aborted?.abort();
  }

  function changed(): Promise<void> {
    next ??= Promise.withResolvers<void>();
    return next.promise;
  }

  return {
    notify,
    changed,
    nextSignal() {
      nextAbort ??= new AbortController();
      return nextAbort.signal;
    },
    async until(isTrue, signal) {
      // An abort wakes all waiters: each looks at its own condition again.
      const onAbort = () => notify();
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        while (!signal?.aborted && !isTrue()) await changed();
      } finally {
        signal?.removeEventListener('abort', onAbort);
      }
    },
  };
}
