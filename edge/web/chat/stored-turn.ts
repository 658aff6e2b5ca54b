/** Finds the turn of a question that the server has stored, while its reply that says which is still awaited. */
import type { ConversationParts, PendingTurn } from './conversation-nodes.ts';
import { textOf } from './message-tree.ts';

/**
 * The turn of a stored question that says the same, came after this one was asked, and is no other's. A guess: the reply
 * puts it right.
 */
export function findStoredTurn(
  { text, askedAtMs, again }: PendingTurn,
  { stored, live, pending }: ConversationParts,
): string | undefined {
  if (again !== undefined) return undefined;
  const known = new Set([...live, ...pending].map(({ turnId }) => turnId));
  return stored.find(
    ({ role, turn_id: turnId, created_at: seconds, content }) =>
      role === 'user' &&
      !known.has(turnId) &&
      seconds >= Math.floor(askedAtMs / 1000) &&
      textOf(content) === text,
  )?.turn_id;
}
