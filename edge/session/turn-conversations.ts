/** The conversation of one turn: one that a store holds, or one that the client keeps, sealed. */
import { AppError } from '../../shared/errors.ts';
import type { ChatRequest } from '../../shared/model/chat-model.ts';
import type { ModelInfo } from '../../shared/protocol/generation-protocol.ts';
import type { ConversationNotes } from '../../shared/protocol/memory-protocol.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { TokenCounters } from '../models/token-counters.ts';
import type { ContextStore } from './context-store.ts';
import type { WindowLimits } from './context-window.ts';
import { Conversation } from './conversation.ts';
import type { DirectoryStub } from './directory-object.ts';
import type { TurnBranch } from './message-tree.ts';
import { SealedConversation } from './sealed-conversation.ts';
import type { StateOwner, StateSealer } from './sealed-state.ts';

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
  /** Whether the archive has the messages, too. */
  isArchived?: boolean | undefined;
}

export interface SealedTurn extends Omit<ConversationTurn, 'sessionId'> {
  /** The state that the client sent, or `new`. */
  state: string;
}

export interface TurnConversations {
  /** @throws AppError `invalid_value` when the request has no message to answer */
  stored(store: ContextStore, turn: ConversationTurn): Conversation;
  /** @throws AppError `unsupported_value` when this server has no keys to seal with */
  sealed(turn: SealedTurn): SealedConversation;
}

export interface TurnConversationsOptions {
  window: WindowLimits;
  counters: TokenCounters;
  /** @throws AppError `model_not_found`, `core_unavailable` */
  describeModel: (context: RequestContext, name: string) => Promise<ModelInfo>;
  /** None where no key is configured. */
  sealer: StateSealer | undefined;
  directoryOf: (owner: StateOwner) => DirectoryStub;
  turnTimeoutMs: number;
  sessionTtlMs: number;
  newId: () => string;
  now: () => number;
  wait: (ms: number) => Promise<void>;
}

export function createTurnConversations(options: TurnConversationsOptions): TurnConversations {
  const { sealer } = options;

  function stored(store: ContextStore, turn: ConversationTurn): Conversation {
    const { context, sessionId, branch, notes, ownSystem, isArchived = false } = turn;
    return new Conversation({
      ...options,
      ...turn,
      ...{ store, branch, notes },
      key: { tenant: context.tenant, user: context.user, sessionId },
      limits: options.window,
      keepSystem: !ownSystem,
      canRecall: isArchived,
      describeModel: (name) => options.describeModel(context, name),
    });
  }

  return {
    stored,
    sealed(turn) {
      if (!sealer) {
        const message = "'x-edgewise-state' is not offered here: no key is configured.";
        throw new AppError('unsupported_value', { param: 'x-edgewise-state', message });
      }
      return new SealedConversation({
        ...options,
        ...turn,
        owner: turn.context,
        sealer,
        directory: options.directoryOf(turn.context),
        conversationOf: (store, sessionId) => stored(store, { ...turn, sessionId }),
      });
    },
  };
}
