/**
 * Resettable timeout: one timer, re-armed on each event. Setting and clearing a timer for each event costs more than
 * most of what an event goes through. Owns its timer.
 */
export interface IdleTimer {
  /** Starts the timeout, or restarts it: it fires `ms` milliseconds from now. */
  expect(ms: number): void;
  /** Pauses until the next {@link expect}. Keeps the timer, which then finds nothing to do. */
  rest(): void;
  stop(): void;
}

/** @param onLate Called when the timeout fires; it may call {@link IdleTimer.expect} again. */
export function createIdleTimer(onLate: () => void): IdleTimer {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let firesAtMs = 0;
  let lateAtMs = Number.POSITIVE_INFINITY;

  function arm(ms: number): void {
    if (timer !== undefined) clearTimeout(timer);
    firesAtMs = Date.now() + ms;
    timer = setTimeout(onTimer, ms);
  }

  function onTimer(): void {
    timer = undefined;
    if (lateAtMs === Number.POSITIVE_INFINITY) return;
    const leftMs = lateAtMs - Date.now();
    if (leftMs > 0) {
      arm(leftMs);
      return;
    }
    lateAtMs = Number.POSITIVE_INFINITY;
    onLate();
  }

  return {
    expect(ms) {
      lateAtMs = Date.now() + ms;
      if (timer === undefined || firesAtMs > lateAtMs) arm(ms);
    },
    rest() {
      lateAtMs = Number.POSITIVE_INFINITY;
    },
    stop() {
      lateAtMs = Number.POSITIVE_INFINITY;
      if (timer !== undefined) clearTimeout(timer);
      timer = undefined;
    },
  };
}
