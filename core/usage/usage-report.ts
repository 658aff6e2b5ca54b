/** What was used, by day and model: for one user, or for a whole tenant. Reads the table `usage`. */
import { and, asc, eq, gte, lt, sql } from 'drizzle-orm';
import type { Database } from '../db/database.ts';
import { usage } from '../db/schema.ts';

export interface UsageQuery {
  tenant: string;
  /** Of one user; of all without it. */
  user: string | undefined;
  /** Unix times in milliseconds, the second one not included. */
  fromMs: number;
  toMs: number;
  by: readonly UsageGroup[];
}

export const usageGroups = ['day', 'model', 'user'] as const;
export type UsageGroup = (typeof usageGroups)[number];

export interface UsageRow {
  /** UTC, `2026-11-21`. */
  day?: string;
  model?: string;
  user?: string;
  requests: number;
  errors: number;
  cache_hits: number;
  input_tokens: number;
  output_tokens: number;
  cached_input_tokens: number;
  /** US dollars, of the models that have a price. */
  cost_usd: number;
}

export interface UsageReports {
  read(query: UsageQuery): Promise<UsageRow[]>;
}

const columns = {
  day: sql<string>`to_char(to_timestamp(${usage.startedAtMs} / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD')`,
  model: usage.model,
  user: usage.user,
};
const sum = (column: unknown) => sql<string>`coalesce(sum(${column}), 0)`;

export function createUsageReports(database: Database): UsageReports {
  return {
    read: ({ tenant, user, fromMs, toMs, by }) =>
      database.withTenant(tenant, async (tables) => {
        const groups = Object.fromEntries(by.map((name) => [name, columns[name]]));
        const counts = {
          requests: sql<string>`count(*)`,
          errors: sql<string>`count(*) FILTER (WHERE ${usage.error} IS NOT NULL)`,
          cache_hits: sql<string>`count(*) FILTER (WHERE ${usage.cache} IN ('hit', 'semantic', 'coalesced'))`,
          input_tokens: sum(usage.inputTokens),
          output_tokens: sum(usage.outputTokens),
          cached_input_tokens: sum(usage.cachedInputTokens),
          micros: sum(usage.micros),
        };
        const places = by.map((_, index) => sql.raw(String(index + 1)));
        const rows = await tables
          .select({ ...groups, ...counts })
          .from(usage)
          .where(
            and(
              gte(usage.startedAtMs, fromMs),
              lt(usage.startedAtMs, toMs),
              user === undefined ? undefined : eq(usage.user, user),
            ),
          )
          .groupBy(...places)
          .orderBy(...places.map((place) => asc(place)));
        return rows.map((row) => toRow(row as Record<string, string>, by));
      }),
  };
}

/** Sums come as text, since they may be larger than a number holds exactly. */
function toRow(row: Record<string, string>, by: readonly UsageGroup[]): UsageRow {
  const number = (name: string) => Number(row[name]);
  return {
    ...Object.fromEntries(by.map((name) => [name, row[name]])),
    requests: number('requests'),
    errors: number('errors'),
    cache_hits: number('cache_hits'),
    input_tokens: number('input_tokens'),
    output_tokens: number('output_tokens'),
    cached_input_tokens: number('cached_input_tokens'),
    cost_usd: number('micros') / 1_000_000,
  };
}
