/** A user's conversations as a list: titles, and what is found in them. Reads the archive's tables; a title is its own to set. */
import { and, asc, desc, eq, inArray, lt, sql } from 'drizzle-orm';
import { AppError } from '../../shared/errors.ts';
import { messageText } from '../../shared/model/chat-model.ts';
import type { Database, Tables } from '../db/database.ts';
import { toArchivedMessage } from '../db/message-rows.ts';
import type { Owner, Page } from '../db/owner.ts';
import { chunks, conversations, messages } from '../db/schema.ts';
import { allOf, type Search } from '../search/search.ts';
import { sentencesOf } from '../text/sentences.ts';

export interface ListedConversation {
  id: string;
  title: string;
  createdAtMs: number;
  updatedAtMs: number;
  /** Where a search found it. */
  snippet?: string;
}

export interface Conversations {
  /** Newest first. */
  list(owner: Owner, page: Page): Promise<{ data: ListedConversation[]; hasMore: boolean }>;
  /** Those in which something like the text was said, best first. */
  search(owner: Owner, text: string, limit: number): Promise<ListedConversation[]>;
  /** @throws AppError `session_not_found` */
  rename(owner: Owner, id: string, title: string): Promise<ListedConversation>;
}

type Row = typeof conversations.$inferSelect;

const MAX_TITLE_CHARS = 60;
const FOUND = 100;

export function createConversations(database: Database, search: Search): Conversations {
  return {
    list: ({ tenant, user }, { limit, after }) =>
      database.withTenant(tenant, async (tables) => {
        const last = after === undefined ? undefined : await find(tables, user, after);
        const place = sql`(${conversations.updatedAtMs}, ${conversations.id})`;
        const rows = await tables
          .select()
          .from(conversations)
          .where(and(eq(conversations.user, user), last && lt(place, sql`(${last.updatedAtMs}, ${last.id})`)))
          .orderBy(desc(conversations.updatedAtMs), desc(conversations.id))
          .limit(limit + 1);
        return { data: await toListed(tables, user, rows.slice(0, limit)), hasMore: rows.length > limit };
      }),

    async search({ tenant, user }, text, limit) {
      const where = allOf(eq(chunks.kind, 'message'), eq(chunks.user, user));
      const found = await search.find({ tenant, text, where, limit: FOUND, by: 'words' });
      const snippets = new Map<string, string>();
      for (const { source, text: said } of found) if (!snippets.has(source)) snippets.set(source, said);
      const ids = [...snippets.keys()].slice(0, limit);
      if (ids.length === 0) return [];
      return database.withTenant(tenant, async (tables) => {
        const rows = await tables
          .select()
          .from(conversations)
          .where(and(eq(conversations.user, user), inArray(conversations.id, ids)));
        const listed = await toListed(tables, user, rows);
        return ids.flatMap((id) => {
          const one = listed.find((conversation) => conversation.id === id);
          return one ? [{ ...one, snippet: (snippets.get(id) ?? '').slice(0, 200) }] : [];
        });
      });
    },

    rename: ({ tenant, user }, id, title) =>
      database.withTenant(tenant, async (tables) => {
        await tables
          .update(conversations)
          .set({ title })
          .where(and(eq(conversations.user, user), eq(conversations.id, id)));
        const [listed] = await toListed(tables, user, [await find(tables, user, id)]);
        return listed as ListedConversation;
      }),
  };
}

async function find(tables: Tables, user: string, id: string): Promise<Row> {
  const [row] = await tables
    .select()
    .from(conversations)
    .where(and(eq(conversations.user, user), eq(conversations.id, id)));
  if (!row) throw new AppError('session_not_found', { param: 'id' });
  return row;
}

/** One that has no name yet is called by the first thing that was said in it. */
async function toListed(tables: Tables, user: string, rows: readonly Row[]): Promise<ListedConversation[]> {
  const nameless = rows.filter(({ title }) => title === null).map(({ id }) => id);
  const firsts = new Map<string, string>();
  if (nameless.length > 0) {
    const said = await tables
      .selectDistinctOn([messages.conversation])
      .from(messages)
      .where(and(eq(messages.user, user), inArray(messages.conversation, nameless), eq(messages.round, 1)))
      .orderBy(asc(messages.conversation), asc(messages.createdAtMs), asc(messages.position));
    for (const row of said)
      firsts.set(row.conversation, titleOf(messageText(toArchivedMessage(row).message)));
  }
  return rows.map(({ id, title, createdAtMs, updatedAtMs }) => ({
    id,
    title: title ?? firsts.get(id) ?? '',
    createdAtMs,
    updatedAtMs,
  }));
}

function titleOf(text: string): string {
  const first = sentencesOf(text.slice(0, 1000))[0] ?? '';
  const characters = [...first.replace(/^[#>*\s]+/, '')];
  return characters.length > MAX_TITLE_CHARS
    ? `${characters.slice(0, MAX_TITLE_CHARS).join('')}…`
    : characters.join('');
}
