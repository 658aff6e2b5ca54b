/** OpenAI's lists: a page of so many, after one that the client has. */
import * as v from 'valibot';
import { parseInput } from '../../shared/wire/parse-input.ts';
import type { Page } from '../db/owner.ts';
import type { CoreContext } from './core-hono.ts';

const MAX_LIMIT = 100;
const USUAL_LIMIT = 20;

const schema = v.object({
  limit: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,5}$/, 'must be a whole number'),
      v.transform(Number),
      v.minValue(1, 'must be at least 1'),
      v.maxValue(10_000, 'must be at most 10000'),
    ),
  ),
  after: v.optional(v.pipe(v.string(), v.maxLength(100))),
});

/** @throws AppError `invalid_value` */
export function parsePage(c: CoreContext): Page {
  const { limit = USUAL_LIMIT, after } = parseInput(schema, c.req.query());
  return { limit: Math.min(limit, MAX_LIMIT), after };
}

export function toList<T extends { id: string }>({ data, hasMore }: { data: T[]; hasMore: boolean }): object {
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: hasMore,
  };
}
