/** One call of a plugin's hook, timed and isolated: whatever it does, its caller goes on. */

export type HookResult<T> =
  | { outcome: 'done'; value: T; ms: number }
  | { outcome: 'threw'; error: unknown; ms: number }
  | { outcome: 'slow'; ms: number };

/**
 * Returns at once what the hook returned at once: most deltas need no promise. In a Worker the clock stands
 * still while code runs, so only hooks that wait for something can be slow there.
 * @param limitMs after which the hook is no longer waited for
 */
export function callHook<T>(
  hook: () => T | Promise<T>,
  limitMs: number,
  now: () => number,
): HookResult<T> | Promise<HookResult<T>> {
  const startMs = now();
  const done = (value: T): HookResult<T> => {
    const ms = now() - startMs;
    return ms > limitMs ? { outcome: 'slow', ms } : { outcome: 'done', value, ms };
  };
  const threw = (error: unknown): HookResult<T> => ({ outcome: 'threw', error, ms: now() - startMs });
  let result: T | Promise<T>;
  try {
    result = hook();
  } catch (error) {
    return threw(error);
  }
  if (!(result instanceof Promise)) return done(result);
  const { promise: late, resolve } = Promise.withResolvers<HookResult<T>>();
  const timer = setTimeout(() => resolve({ outcome: 'slow', ms: now() - startMs }), limitMs);
  return Promise.race([result.then(done, threw), late]).finally(() => clearTimeout(timer));
}
