/** What users have chosen about their memory. Owns the table `preference`; keeps what it has read for a while. */
import { eq } from 'drizzle-orm';
import { createLruCache } from '../../shared/lru-cache.ts';
import type { Database } from '../db/database.ts';
import type { Owner } from '../db/owner.ts';
import { preferences } from '../db/schema.ts';

export interface Preferences {
  /** Whether a conversation may be reminded of what was said in another; no, unless its user has said so. */
  recallsAcross(owner: Owner): Promise<boolean>;
  setRecallAcross(owner: Owner, isOn: boolean): Promise<void>;
  /** Lets what was read go. */
  forget(owner: Owner): void;
}

const MAX_KEPT = 10_000;
/** Other instances follow a change this late. */
const KEPT_MS = 30_000;

export function createPreferences(database: Database, now: () => number): Preferences {
  const kept = createLruCache<{ recallAcross: boolean }>({ maxEntries: MAX_KEPT, now });
  return {
    forget: ({ tenant, user }) => void kept.delete(JSON.stringify([tenant, user])),
    async recallsAcross({ tenant, user }) {
      const name = JSON.stringify([tenant, user]);
      const known = kept.get(name);
      if (known) return known.recallAcross;
      const [row] = await database.withTenant(tenant, (tables) =>
        tables.select().from(preferences).where(eq(preferences.user, user)),
      );
      const recallAcross = row?.recallAcross ?? false;
      kept.set(name, { recallAcross }, KEPT_MS);
      return recallAcross;
    },
    async setRecallAcross({ tenant, user }, recallAcross) {
      await database.withTenant(tenant, (tables) =>
        tables
          .insert(preferences)
          .values({ tenant, user, recallAcross })
          .onConflictDoUpdate({ target: [preferences.tenant, preferences.user], set: { recallAcross } }),
      );
      kept.set(JSON.stringify([tenant, user]), { recallAcross }, KEPT_MS);
    },
  };
}
