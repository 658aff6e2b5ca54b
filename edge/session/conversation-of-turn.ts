import type { ChatRequest } from '../../shared/model/chat-model.ts';
import type { ConversationNotes } from '../../shared/protocol/memory-protocol.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { EdgeServices } from '../services.ts';
import type { ContextStore } from './context-store.ts';
import { Conversation } from './conversation.ts';
import type { TurnBranch } from './message-tree.ts';

export interface ConversationTurn {
  context: RequestContext;
  sessionId: string;
  turnId: string;
  request: ChatRequest;
  branch?: TurnBranch | undefined;
  /** Whether the request's system messages hold for this turn alone. */
  ownSystem?: boolean | undefined;
  /** What is known of rounds that are out of the window. */
  notes?: ConversationNotes | undefined;
  /** Whether the messages are the archive's, too. */
  isArchived?: boolean | undefined;
}

/** A turn's view of the conversation that a store holds, with the edge's window and tokenizers. */
export function conversationOfTurn(
  services: EdgeServices,
  store: ContextStore,
  { context, sessionId, turnId, request, branch, ownSystem, notes, isArchived = false }: ConversationTurn,
): Conversation {
  const { config, counters, catalog, newId, now, wait } = services;
  return new Conversation({
    key: { tenant: context.tenant, user: context.user, sessionId },
    turnId,
    store,
    request,
    limits: config.window,
    branch,
    keepSystem: !ownSystem,
    notes,
    canRecall: isArchived,
    counters,
    describeModel: (name) => catalog.find(context, name),
    newId,
    now,
    wait,
  });
}
