/**
 * The answers of one location: the platform's own cache (`caches.default`), where there is one. As bounded in
 * time as the isolate's, since a removal does not reach it. A platform without it is asked once and then left alone.
 */
import type { AnswerEntry } from './answer-store.ts';

export interface LocationAnswers {
  find(tenant: string, key: string, scopes: readonly string[]): Promise<AnswerEntry | undefined>;
  keep(tenant: string, entry: AnswerEntry): Promise<void>;
}

const LONGEST_STAY_S = 60;

/** @param now Unix time in milliseconds */
export function createLocationAnswers(open: () => Cache | undefined, now: () => number): LocationAnswers {
  let isThere = true;

  async function reach<T>(work: (cache: Cache) => Promise<T>): Promise<T | undefined> {
    if (!isThere) return undefined;
    try {
      const cache = open();
      if (cache) return await work(cache);
    } catch {
      // A workerd without a cache service throws at every touch.
    }
    isThere = false;
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

/** Nobody can ask for such an address from outside: the cache is reached through this Worker alone. */
function addressOf(tenant: string, key: string, scope: string): string {
  return `https://answers.invalid/${[tenant, key, scope].map(encodeURIComponent).join('/')}`;
}
