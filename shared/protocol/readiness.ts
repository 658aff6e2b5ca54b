/** Whether a process can do all of its work now, as `GET /readyz` reports it: `ok` for a check, or a short reason. */
export interface Readiness {
  status: 'ready' | 'not_ready';
  checks: Record<string, string>;
}

/** Longest time of one check, in milliseconds. */
export const CHECK_TIMEOUT_MS = 2000;

/**
 * Runs all checks at once.
 * @param checks Each resolves with `ok` or with a reason; one that fails or takes longer than {@link CHECK_TIMEOUT_MS} is
 * `unavailable`. Reasons name no host and no key.
 */
export async function checkReadiness(
  checks: Readonly<Record<string, () => Promise<string>>>,
): Promise<Readiness> {
  const entries = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await outcomeOf(check)] as const),
  );
  return {
    status: entries.every(([, outcome]) => outcome === 'ok') ? 'ready' : 'not_ready',
    checks: Object.fromEntries(entries),
  };
}

async function outcomeOf(check: () => Promise<string>): Promise<string> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, CHECK_TIMEOUT_MS, 'unavailable');
  });
  try {
    return await Promise.race([check(), timeout]);
  } catch {
    return 'unavailable';
  } finally {
    if (timer !== undefined) clearTimeout(timer);
  }
}
