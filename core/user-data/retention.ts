/**
 * How long a tenant's durable data is kept: what is older goes, in the background, again and again. Idempotent, so that any
 * number of core instances may do it.
 */
import { and, eq, inArray, lt } from 'drizzle-orm';
import type { Database, Tables } from '../db/database.ts';
import { chunks, conversations, feedback, messages, notes, usage } from '../db/schema.ts';

/** Days by tenant; `*` holds for those that are not named. */
export type RetentionDays = ReadonlyMap<string, number>;

export type ApplyRetention = () => Promise<{ conversations: number; usage: number }>;

export interface RetentionOptions {
  database: Database;
  days: RetentionDays;
  now: () => number;
}

const DAY_MS = 86_400_000;
/** Conversations of one transaction. */
const AT_ONCE = 200;

export function createRetention({ database, days, now }: RetentionOptions): ApplyRetention {
  return async function applyRetention() {
    const removed = { conversations: 0, usage: 0 };
    if (days.size === 0) return removed;
    const tenants = await database.acrossTenants(async (tables) => {
      const said = await tables.selectDistinct({ tenant: conversations.tenant }).from(conversations);
      const used = await tables.selectDistinct({ tenant: usage.tenant }).from(usage);
      return new Set([...said, ...used].map(({ tenant }) => tenant));
    });
    for (const tenant of tenants) {
      const kept = days.get(tenant) ?? days.get('*');
      if (kept === undefined) continue;
      const beforeMs = now() - kept * DAY_MS;
      for (let count = AT_ONCE; count === AT_ONCE; ) {
        count = await database.withTenant(tenant, (tables) => removeConversations(tables, beforeMs));
        removed.conversations += count;
      }
      removed.usage += await database.withTenant(tenant, (tables) => removeUsage(tables, beforeMs));
    }
    return removed;
  };
}

async function removeConversations(tables: Tables, beforeMs: number): Promise<number> {
  const old = await tables
    .select({ user: conversations.user, id: conversations.id })
    .from(conversations)
    .where(lt(conversations.updatedAtMs, beforeMs))
    .limit(AT_ONCE);
  for (const { user, id } of old) {
    const isOf = (table: typeof messages | typeof notes) =>
      and(eq(table.user, user), eq(table.conversation, id));
    await tables.delete(messages).where(isOf(messages));
    await tables.delete(notes).where(isOf(notes));
    await tables
      .delete(chunks)
      .where(and(eq(chunks.user, user), eq(chunks.kind, 'message'), eq(chunks.source, id)));
    await tables.delete(conversations).where(and(eq(conversations.user, user), eq(conversations.id, id)));
  }
  return old.length;
}

async function removeUsage(tables: Tables, beforeMs: number): Promise<number> {
  const gone = await tables
    .delete(usage)
    .where(lt(usage.endedAtMs, beforeMs))
    .returning({ turn: usage.turn, user: usage.user });
  const turns = gone.map(({ turn }) => turn);
  if (turns.length > 0) await tables.delete(feedback).where(inArray(feedback.turn, turns));
  return gone.length;
}
