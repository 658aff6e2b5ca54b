/** `/v1/conversations`: a user's conversations by their titles, and what was said in them. */
import * as v from 'valibot';
import { parseInput } from '../../shared/wire/parse-input.ts';
import type { Conversations, ListedConversation } from '../archive/conversations.ts';
import type { CoreHandler } from './core-hono.ts';
import { parsePage, toList } from './list.ts';
import { parseBodyJson } from './parse-body-json.ts';

const MAX_QUERY_CHARS = 1000;
const query = v.optional(v.pipe(v.string(), v.maxLength(MAX_QUERY_CHARS, 'is too long')));
export const titleSchema = v.object({
  title: v.pipe(
    v.string('must be a string'),
    v.trim(),
    v.minLength(1, 'must not be empty'),
    v.maxLength(200, 'must have at most 200 characters'),
  ),
});

export function conversationsRoute({
  conversations,
}: {
  conversations: Conversations;
}): Record<'list' | 'rename', CoreHandler> {
  return {
    /** With `q` those in which something like it was said, the best ones first. */
    async list(c) {
      const { tenant, user } = c.get('request');
      const page = parsePage(c);
      const { q } = parseInput(v.object({ q: query }), c.req.query());
      const found =
        q === undefined || q.trim() === ''
          ? await conversations.list({ tenant, user }, page)
          : { data: await conversations.search({ tenant, user }, q, page.limit), hasMore: false };
      return c.json(toList({ ...found, data: found.data.map(toConversation) }));
    },
    async rename(c) {
      const { tenant, user } = c.get('request');
      const { title } = parseInput(titleSchema, parseBodyJson(c));
      const clean = title.replaceAll('\0', ' ');
      return c.json(
        toConversation(await conversations.rename({ tenant, user }, c.req.param('id') ?? '', clean)),
      );
    },
  };
}

function toConversation({ id, title, createdAtMs, updatedAtMs, snippet }: ListedConversation) {
  return {
    id,
    object: 'conversation',
    title,
    created_at: Math.floor(createdAtMs / 1000),
    updated_at: Math.floor(updatedAtMs / 1000),
    ...(snippet !== undefined && { snippet }),
  };
}
