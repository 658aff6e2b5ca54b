/** The rolling summaries of conversations. Owns the table `note`; the messages are the archive's. */
import { and, asc, eq, gt, lte } from 'drizzle-orm';
import type { ArchivedMessage } from '../../shared/protocol/archive-protocol.ts';
import type { ConversationNotes, NoteLine } from '../../shared/protocol/memory-protocol.ts';
import type { Tables } from '../db/database.ts';
import { toArchivedMessage } from '../db/message-rows.ts';
import type { Owner } from '../db/owner.ts';
import { messages, notes } from '../db/schema.ts';
import { extractLines, foldLines, type NotesLimits } from './fold-notes.ts';

/** Where a conversation has come to. */
export interface FoldPlace {
  conversation: string;
  /** Its newest message on the branch that goes on. */
  head: { id: string; round: number };
  /** The notes are to go up to this round. */
  throughRound: number;
}

export interface Folded {
  notes: ConversationNotes;
  /** What was folded in by this call. */
  messages: ArchivedMessage[];
}

/** Messages read for one fold: enough for the longest window, or to begin anew after a branch. */
const MAX_READ = 5000;

export async function readNotes(
  tables: Tables,
  { user }: Owner,
  conversation: string,
): Promise<ConversationNotes | undefined> {
  const [row] = await tables
    .select()
    .from(notes)
    .where(and(eq(notes.user, user), eq(notes.conversation, conversation)));
  if (!row) return undefined;
  const { throughMessage: throughMessageId, throughRound } = row;
  return { throughMessageId, throughRound, lines: JSON.parse(row.lines) };
}

/** @returns nothing when there is nothing new to fold in */
export async function foldNotes(
  tables: Tables,
  owner: Owner,
  { conversation, head, throughRound }: FoldPlace,
  limits: NotesLimits,
): Promise<Folded | undefined> {
  let before = await readNotes(tables, owner, conversation);
  let path = await pathFrom(tables, owner, { conversation, head, afterRound: before?.throughRound ?? 0 });
  if (before && path[0]?.parentId !== before.throughMessageId) {
    // Another branch: what the notes hold was not said on this one.
    before = undefined;
    path = await pathFrom(tables, owner, { conversation, head, afterRound: 0 });
  }
  const fresh = path.filter(({ round }) => round <= throughRound);
  const last = fresh.at(-1);
  if (!last) return undefined;
  const folded: ConversationNotes = {
    throughMessageId: last.id,
    throughRound: last.round,
    lines: foldLines(before, extractLines(fresh), limits),
  };
  await writeNotes(tables, owner, conversation, folded);
  return { notes: folded, messages: fresh };
}

/** Puts better lines in the place of those that came from the same turns. */
export async function refineNotes(
  tables: Tables,
  owner: Owner,
  refined: { conversation: string; turnIds: ReadonlySet<string>; lines: readonly NoteLine[] },
  limits: NotesLimits,
): Promise<void> {
  const current = await readNotes(tables, owner, refined.conversation);
  if (!current) return;
  const others = current.lines.filter(({ turnIds }) => !turnIds.every((id) => refined.turnIds.has(id)));
  const lines = foldLines({ ...current, lines: others }, refined.lines, limits);
  await writeNotes(tables, owner, refined.conversation, { ...current, lines });
}

export async function writeNotes(
  tables: Tables,
  { tenant, user }: Owner,
  conversation: string,
  { throughMessageId: throughMessage, throughRound, lines }: ConversationNotes,
): Promise<void> {
  const row = { throughMessage, throughRound, lines: JSON.stringify(lines) };
  await tables
    .insert(notes)
    .values({ tenant, user, conversation, ...row })
    .onConflictDoUpdate({ target: [notes.tenant, notes.user, notes.conversation], set: row });
}

/** The messages that lead to `head`, oldest first, after a round. */
async function pathFrom(
  tables: Tables,
  { user }: Owner,
  { conversation, head, afterRound }: { conversation: string; head: FoldPlace['head']; afterRound: number },
): Promise<ArchivedMessage[]> {
  const rows = await tables
    .select()
    .from(messages)
    .where(
      and(
        eq(messages.user, user),
        eq(messages.conversation, conversation),
        gt(messages.round, afterRound),
        lte(messages.round, head.round),
      ),
    )
    .orderBy(asc(messages.round))
    .limit(MAX_READ);
  const byId = new Map(rows.map((row) => [row.id, toArchivedMessage(row)]));
  const path: ArchivedMessage[] = [];
  for (
    let next = byId.get(head.id);
    next;
    next = next.parentId === null ? undefined : byId.get(next.parentId)
  )
    path.push(next);
  return path.reverse();
}
