/**
 * A signal that is aborted after a time, unless it is over before. `AbortSignal.timeout` cannot be called off: in a
 * Durable Object its timer alone keeps the object in memory, and billed, until it fires.
 */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Nothing is waited for any more. */
  clear(): void;
}

/** @param outer Aborts it, too. */
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
