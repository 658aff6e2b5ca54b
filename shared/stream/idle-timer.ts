/**
 * A wait that begins anew with every event, on one timer: setting and clearing one for each event costs more than
 * most of what an event goes through. Owns its timer.
 */
export interface IdleTimer {
  /** From now on it is late after `ms` milliseconds. */
  expect(ms: number): void;
  /** Nothing is waited for, until the next {@link expect}. */
  rest(): void;
  stop(): void;
}

/** @param onLate Called once nothing came in time; it may be expecting again then. */
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
