/**
 * A controller that is aborted with another signal, too. `AbortSignal.any` says the same, but costs a Worker tens of
 * microseconds, and a turn has several.
 */
export interface FollowingController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
  /** It no longer needs to hear of the other one. */
  unfollow(): void;
}

export function followingController(outer: AbortSignal): FollowingController {
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
