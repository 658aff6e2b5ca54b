import type { ChatRequest } from '../../shared/chat-model.ts';
import type { RequestContext } from '../../shared/request-context.ts';
import type { EdgeServices } from '../services.ts';
import type { ContextStore } from './context-store.ts';
import { Conversation, type TurnBranch } from './conversation.ts';

export interface ConversationTurn {
  context: RequestContext;
  sessionId: string;
  turnId: string;
  request: ChatRequest;
  branch?: TurnBranch | undefined;
  /** Whether the request's system messages hold for this turn alone. */
  ownSystem?: boolean | undefined;
}

/** A turn's view of the conversation that a store holds, with the edge's window and tokenizers. */
export function conversationOfTurn(
  services: EdgeServices,
  store: ContextStore,
  { context, sessionId, turnId, request, branch, ownSystem }: ConversationTurn,
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
    counters,
    describeModel: (name) => catalog.find(context, name),
    newId,
    now,
    wait,
  });
}
