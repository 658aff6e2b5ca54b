/** What users think of answers. Owns the table `feedback`; one word of each user on each turn, the last one. */

import { and, eq } from 'drizzle-orm';
import { AppError } from '../../shared/errors.ts';
import type { Database } from '../db/database.ts';
import { feedback, usage } from '../db/schema.ts';

export interface Feedback {
  /** @throws AppError `turn_not_found` when the user had no such turn */
  give(
    owner: { tenant: string; user: string },
    word: { turnId: string; rating: 'up' | 'down'; text: string | undefined },
  ): Promise<void>;
}

export function createFeedback(database: Database, now: () => number): Feedback {
  return {
    give: ({ tenant, user }, { turnId, rating, text }) =>
      database.withTenant(tenant, async (tables) => {
        const [turn] = await tables
          .select({ turn: usage.turn })
          .from(usage)
          .where(and(eq(usage.user, user), eq(usage.turn, turnId)));
        if (!turn) throw new AppError('turn_not_found', { param: 'turn_id' });
        const row = { tenant, user, turn: turnId, rating, text: text ?? null, atMs: now() };
        await tables
          .insert(feedback)
          .values(row)
          .onConflictDoUpdate({ target: [feedback.tenant, feedback.user, feedback.turn], set: row });
      }),
  };
}
