/** Sums of `GET /v1/usage`, by day and by model. */

export interface UsageRow {
  /** `2026-11-21`, UTC. */
  day: string;
  model: string;
  requests: number;
  errors: number;
  cache_hits: number;
  input_tokens: number;
  output_tokens: number;
  cost_usd: number;
}

type Sums = Omit<UsageRow, 'day' | 'model'>;

const none: Sums = { requests: 0, errors: 0, cache_hits: 0, input_tokens: 0, output_tokens: 0, cost_usd: 0 };

/** Largest cost first, and then most requests. */
export function byModel(rows: readonly UsageRow[]): (Sums & { model: string })[] {
  const sums = new Map<string, Sums>();
  for (const row of rows) sums.set(row.model, add(sums.get(row.model) ?? none, row));
  return [...sums]
    .map(([model, sum]) => ({ model, ...sum }))
    .sort((a, b) => b.cost_usd - a.cost_usd || b.requests - a.requests);
}

/** Every day up to and with the last one, oldest first; those without a row are 0. */
export function byDay(rows: readonly UsageRow[], lastMs: number, days: number): (Sums & { day: string })[] {
  const sums = new Map<string, Sums>();
  for (const row of rows) sums.set(row.day, add(sums.get(row.day) ?? none, row));
  return Array.from({ length: days }, (_, index) => {
    const day = new Date(lastMs - (days - 1 - index) * 86_400_000).toISOString().slice(0, 10);
    return { day, ...(sums.get(day) ?? none) };
  });
}

function add(sum: Sums, row: Sums): Sums {
  return {
    requests: sum.requests + row.requests,
    errors: sum.errors + row.errors,
    cache_hits: sum.cache_hits + row.cache_hits,
    input_tokens: sum.input_tokens + row.input_tokens,
    output_tokens: sum.output_tokens + row.output_tokens,
    cost_usd: sum.cost_usd + row.cost_usd,
  };
}
