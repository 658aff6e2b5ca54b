/** What is stored of a conversation, what is being answered and what is on its way, as one tree. */
import type { Signal } from '@preact/signals';
import type { LiveTurn } from './live-turn.ts';
import type { StoredMessage, TreeNode } from './message-tree.ts';
import { textOf } from './message-tree.ts';
import type { Outgoing } from './outbox.ts';

/** `waiting`: for the network. `sent`: the server has it. */
export type PendingState = 'sending' | 'waiting' | 'sent' | 'failed';

export interface PendingTurn extends Outgoing {
  readonly state: Signal<PendingState>;
  readonly error: Signal<{ code: string; message: string } | undefined>;
  /** Known once the server has it. */
  responseId: string | undefined;
  turnId: string | undefined;
  order: number;
}

export interface ConversationNode extends TreeNode {
  /** Stays the same from the first sight of a message to its stored form. */
  key: string;
  role: string;
  turnId: string | undefined;
  stored?: StoredMessage | undefined;
  live?: LiveTurn | undefined;
  pending?: PendingTurn | undefined;
}

export interface ConversationParts {
  stored: readonly StoredMessage[];
  live: readonly LiveTurn[];
  pending: readonly PendingTurn[];
}

// long: one pass over three sources that must agree; its steps are local functions
export function toNodes({ stored, live, pending }: ConversationParts): ConversationNode[] {
  const nodes: ConversationNode[] = [];
  const keys = new Map<string, string>();
  for (const { turnId, key } of pending) if (turnId !== undefined) keys.set(turnId, key);
  for (const { turnId, key } of live) if (key !== undefined) keys.set(turnId, key);
  const liveByTurn = new Map(live.map((turn) => [turn.turnId, turn]));
  const pendingByTurn = new Map(pending.map((turn) => [turn.turnId, turn]));
  const pendingByKey = new Map(pending.map((turn) => [turn.key, turn]));
  const used = new Set<string>();
  const questions = new Map<string, string>();
  const answered = new Set<string>();

  for (const message of stored) {
    const { turn_id: turnId, role } = message;
    const isQuestion = role === 'user';
    const wanted = `${isQuestion ? 'q' : 'a'}:${keys.get(turnId) ?? turnId}`;
    const key = used.has(wanted) || (role !== 'user' && role !== 'assistant') ? message.id : wanted;
    used.add(key);
    if (isQuestion) questions.set(turnId, message.id);
    // What called a tool is not the answer yet.
    else if (role === 'assistant' && textOf(message.content) !== '') answered.add(turnId);
    nodes.push({
      id: message.id,
      parentId: message.parent_id,
      order: message.position,
      isQuestion,
      key,
      role,
      turnId,
      stored: message,
      live: role === 'assistant' ? liveByTurn.get(turnId) : undefined,
    });
  }
  const answerParents = new Map(
    stored.flatMap(({ role, turn_id: turnId, parent_id: parent }) =>
      role === 'assistant' && !questions.has(turnId) && parent !== null ? [[turnId, parent] as const] : [],
    ),
  );
  /** What stood at the end when something was asked. */
  const tail = (order: number, own: string) =>
    nodes.reduce<ConversationNode | undefined>(
      (best, node) =>
        node.id !== own && node.order < order && (!best || node.order > best.order) ? node : best,
      undefined,
    )?.id ?? null;
  const questionOf = (turnId: string) => {
    const asked = pendingByTurn.get(turnId);
    return questions.get(turnId) ?? answerParents.get(turnId) ?? (asked ? `q:${asked.key}` : null);
  };

  for (const turn of live) {
    if (answered.has(turn.turnId)) continue;
    const mine = pendingByTurn.get(turn.turnId) ?? (turn.key ? pendingByKey.get(turn.key) : undefined);
    const asked =
      questions.get(turn.turnId) ??
      (turn.again !== undefined
        ? questionOf(turn.again)
        : mine && mine.again === undefined && `q:${mine.key}`);
    const key = `a:${turn.key ?? turn.turnId}`;
    nodes.push({
      id: key,
      parentId: asked || tail(turn.order, key),
      order: turn.order + 0.5,
      isQuestion: false,
      key,
      role: 'assistant',
      turnId: turn.turnId,
      live: turn,
    });
  }
  for (const entry of pending) {
    const { key, turnId, again, order } = entry;
    const isStored = turnId !== undefined && questions.has(turnId);
    let parentId = again === undefined ? (turnId && questions.get(turnId)) || `q:${key}` : questionOf(again);
    if (again === undefined && !isStored) {
      const above = entry.parentId === undefined ? tail(order, `a:${key}`) : entry.parentId;
      nodes.push({
        id: `q:${key}`,
        parentId: above,
        order,
        isQuestion: true,
        key: `q:${key}`,
        role: 'user',
        turnId,
        pending: entry,
      });
      parentId = `q:${key}`;
    }
    const turn = live.find((candidate) => candidate.key === key || candidate.turnId === turnId);
    if (turn || (turnId !== undefined && answered.has(turnId))) continue;
    nodes.push({
      id: `a:${key}`,
      parentId,
      order: order + 0.5,
      isQuestion: false,
      key: `a:${key}`,
      role: 'assistant',
      turnId,
      pending: entry,
    });
  }
  return nodes;
}
