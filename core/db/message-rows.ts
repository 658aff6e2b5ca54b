/** A conversation's message as a row of the table `message`, and back. */
import type { ArchivedMessage } from '../../shared/protocol/archive-protocol.ts';
import type { Owner } from './owner.ts';
import type { messages } from './schema.ts';

export function toMessageRow(
  { tenant, user }: Owner,
  conversation: string,
  { id, parentId, turnId, round, position, createdAtMs, message }: ArchivedMessage,
): typeof messages.$inferInsert {
  return {
    tenant,
    user,
    conversation,
    id,
    parent: parentId,
    turn: turnId,
    round,
    position,
    createdAtMs,
    body: JSON.stringify(message),
  };
}

export function toArchivedMessage(row: typeof messages.$inferSelect): ArchivedMessage {
  const { id, parent: parentId, turn: turnId, round, position, createdAtMs, body } = row;
  return { id, parentId, turnId, round, position, createdAtMs, message: JSON.parse(body) };
}
