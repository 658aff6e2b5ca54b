import type { Child } from '../../local/child.ts';

const READY_MS = 20_000;
const POLL_MS = 50;

/** Waits until something answers HTTP there. @throws Error with the child's own words when it does not */
export async function untilAnswering(url: string, child: Child): Promise<void> {
  for (const endMs = Date.now() + READY_MS; Date.now() < endMs; ) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
      await response.body?.cancel();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
  throw new Error(`${child.name} does not answer:\n${await child.lastLogLines()}`);
}
