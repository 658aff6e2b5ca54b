/** A conversation's messages as a tree: each follows its parent, and a turn goes on somewhere in it. Pure. */
import type { ChatMessage } from '../../shared/model/chat-model.ts';
import type { ConversationNotes } from '../../shared/protocol/memory-protocol.ts';
import type { StoredMessage } from './context-store.ts';

/** Where in the tree of a conversation's messages a turn goes on. */
export type TurnBranch =
  /** After the last message of a turn. */
  | { kind: 'after-turn'; turnId: string }
  /** After a message; `null` is the beginning. */
  | { kind: 'after-message'; messageId: string | null }
  /** A turn's question is answered once more; the newest turn's without a name. */
  | { kind: 'again'; turnId: string | undefined };

/** Where in the conversation a turn continues; after the newest message by default. */
export function branchOf({
  regenerate,
  parentId,
}: {
  regenerate?: true | string;
  parentId?: string | null;
}): TurnBranch | undefined {
  if (regenerate) return { kind: 'again', turnId: regenerate === true ? undefined : regenerate };
  return parentId === undefined ? undefined : { kind: 'after-message', messageId: parentId };
}

/** Whether the notes' last message is on the path, or right before it. */
export function isAfterNotes(path: StoredMessage[], { throughMessageId }: ConversationNotes): boolean {
  return path[0]?.parentId === throughMessageId || path.some(({ id }) => id === throughMessageId);
}

/** Whether the messages hold that many rounds from their beginning. */
export function holdsRounds(messages: StoredMessage[], rounds: number): boolean {
  return messages.filter(({ message }) => message.role === 'user').length >= rounds;
}

interface Place {
  /** The message that the turn follows; `undefined` at the beginning of the conversation. */
  head: StoredMessage | undefined;
  /** The question to answer once more. */
  again?: StoredMessage[];
}

/** @returns `undefined` when it is not among these messages */
export function findPlace(messages: StoredMessage[], branch: TurnBranch | undefined): Place | undefined {
  if (!branch) return { head: messages.at(-1) };
  if (branch.kind === 'after-message') {
    if (branch.messageId === null) return { head: undefined };
    const head = messages.find(({ id }) => id === branch.messageId);
    return head && { head };
  }
  const turnId = branch.turnId ?? messages.at(-1)?.turnId;
  const turn = messages.filter((message) => message.turnId === turnId);
  if (branch.kind === 'after-turn') return turn.length > 0 ? { head: turn.at(-1) } : undefined;
  // An answer given again has no question of its own: it hangs on that of the turn before.
  const answer = turn.find(({ message }) => message.role === 'assistant');
  const question = turn.filter(({ message }) => message.role !== 'assistant');
  const asked = messages.find(({ id }) => id === answer?.parentId);
  if (question.length === 0 && asked) return findPlace(messages, { kind: 'again', turnId: asked.turnId });
  const [first] = question;
  if (!first) return undefined;
  const head = messages.find(({ id }) => id === first.parentId);
  return head || first.parentId === null ? { head, again: question } : undefined;
}

/**
 * The question at the end of a path that got no answer, where the new messages say the same: a client that repeats a failed
 * request means that question, and the conversation holds it once.
 */
export function repeatedQuestion(
  path: readonly StoredMessage[],
  newest: readonly ChatMessage[],
): StoredMessage[] | undefined {
  const turnId = path.at(-1)?.turnId;
  const start = path.findLastIndex((message) => message.turnId !== turnId) + 1;
  const question = path.slice(start);
  const isSame =
    question.length > 0 &&
    question.length === newest.length &&
    question.every(
      ({ message }, at) =>
        message.role !== 'assistant' && JSON.stringify(message) === JSON.stringify(newest[at]),
    );
  return isSame ? question : undefined;
}

/** The known messages that lead to one, oldest first. */
export function pathTo(
  messages: StoredMessage[],
  head: StoredMessage | undefined,
): { messages: StoredMessage[]; complete: boolean } {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const path: StoredMessage[] = [];
  let next = head;
  while (next) {
    path.push(next);
    next = next.parentId === null ? undefined : byId.get(next.parentId);
  }
  const oldest = path.at(-1);
  return { messages: path.reverse(), complete: oldest === undefined || oldest.parentId === null };
}
