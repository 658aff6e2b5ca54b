/**
 * An abort controller that is also aborted by another signal. `AbortSignal.any` does the same, but costs a Worker tens
 * of microseconds, and a turn has several.
 */
export interface LinkedAbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
  /** Removes the listener on the outer signal. */
  unfollow(): void;
}

export function linkedAbortController(outer: AbortSignal): LinkedAbortController {
  const controller = new AbortController();
  const follow = () => controller.abort(outer.reason);
  if (outer.aborted) follow();
  else outer.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    unfollow: () => outer.removeEventListener('abort', follow),
  };
}
