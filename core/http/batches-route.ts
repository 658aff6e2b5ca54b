/** `/v1/batches`: OpenAI's batches. */
import * as v from 'valibot';
import { batchEndpoints } from '../../shared/protocol/batch-protocol.ts';
import { parseInput } from '../../shared/wire/parse-input.ts';
import type { Batches } from '../batches/batches.ts';
import type { CoreHandler } from './core-hono.ts';
import { parsePage, toList } from './list.ts';
import { parseBodyJson } from './parse-body-json.ts';

const HOUR_MS = 3_600_000;
const MAX_HOURS = 168;

export const newBatchSchema = v.object({
  input_file_id: v.pipe(v.string('must be a string'), v.minLength(1, 'must not be empty')),
  endpoint: v.picklist(batchEndpoints, `must be one of ${batchEndpoints.join(', ')}`),
  completion_window: v.pipe(
    v.string('must be a string'),
    v.regex(/^\d{1,3}h$/, 'must be a number of hours, as "24h"'),
    v.check((value) => {
      const hours = Number.parseInt(value, 10);
      return hours >= 1 && hours <= MAX_HOURS;
    }, `must be from "1h" to "${MAX_HOURS}h"`),
  ),
  metadata: v.optional(
    v.nullable(
      v.pipe(
        v.record(v.pipe(v.string(), v.maxLength(64)), v.pipe(v.string('must be a string'), v.maxLength(512))),
        v.maxEntries(16, 'must hold at most 16'),
      ),
    ),
  ),
});

export function batchesRoute({
  batches,
}: {
  batches: Batches;
}): Record<'create' | 'list' | 'read' | 'cancel', CoreHandler> {
  return {
    async create(c) {
      const wanted = parseInput(newBatchSchema, parseBodyJson(c));
      const { completion_window: window } = wanted;
      const made = await batches.create(c.get('request'), {
        inputFile: wanted.input_file_id,
        endpoint: wanted.endpoint,
        window,
        windowMs: Number.parseInt(window, 10) * HOUR_MS,
        metadata: wanted.metadata ?? undefined,
        plan: c.get('request').plan,
      });
      return c.json(made);
    },
    async list(c) {
      return c.json(toList(await batches.list(c.get('request'), parsePage(c))));
    },
    async read(c) {
      return c.json(await batches.get(c.get('request'), c.req.param('id') ?? ''));
    },
    async cancel(c) {
      return c.json(await batches.cancel(c.get('request'), c.req.param('id') ?? ''));
    },
  };
}
