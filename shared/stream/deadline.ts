/**
 * A signal that is aborted after a time, and can be cleared before. `AbortSignal.timeout` cannot be cleared: in a
 * Durable Object its timer alone keeps the object in memory, and billed, until it fires.
 */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Clears the timer. */
  clear(): void;
}

/** @param outer Also aborts it. */
export function startDeadline(ms: number, outer?: AbortSignal): Deadline {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new DOMException('the time is up', 'TimeoutError')), ms);
  const follow = () => controller.abort(outer?.reason);
  if (outer?.aborted) follow();
  outer?.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    clear() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', follow);
    },
  };
}
