/**
 * Copies of answers in the platform's cache of one location (`caches.default`), where the platform has one. They expire as
 * early as the isolate's, since a removal does not reach them. A cache that fails once is not used again.
 */
import type { AnswerEntry } from './answer-store.ts';

export interface LocationAnswers {
  find(tenant: string, key: string, scopes: readonly string[]): Promise<AnswerEntry | undefined>;
  keep(tenant: string, entry: AnswerEntry): Promise<void>;
}

const LONGEST_STAY_S = 60;

/** @param now Unix time in milliseconds */
export function createLocationAnswers(open: () => Cache | undefined, now: () => number): LocationAnswers {
  let isAvailable = true;

  async function reach<T>(work: (cache: Cache) => Promise<T>): Promise<T | undefined> {
    if (!isAvailable) return undefined;
    try {
      const cache = open();
      if (cache) return await work(cache);
    } catch {
      // A workerd without a cache service throws on every access.
    }
    isAvailable = false;
    return undefined;
  }

  return {
    find: (tenant, key, scopes) =>
      reach(async (cache) => {
        const found = await Promise.all(scopes.map((scope) => cache.match(addressOf(tenant, key, scope))));
        const entries = await Promise.all(found.map((response) => response?.json<AnswerEntry>()));
        return entries.find((entry) => entry !== undefined && entry.freshUntilMs > now());
      }),

    async keep(tenant, entry) {
      const seconds = Math.min(LONGEST_STAY_S, Math.floor((entry.freshUntilMs - now()) / 1000));
      if (seconds <= 0) return;
      const headers = { 'cache-control': `max-age=${seconds}` };
      const address = addressOf(tenant, entry.key, entry.scope);
      await reach((cache) => cache.put(address, Response.json(entry, { headers })));
    },
  };
}

/** Not reachable from outside: only this Worker has access to the cache. */
function addressOf(tenant: string, key: string, scope: string): string {
  return `https://answers.invalid/${[tenant, key, scope].map(encodeURIComponent).join('/')}`;
}
