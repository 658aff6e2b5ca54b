/** How others reach the Session object of a conversation, and what it answers. */
import type { ChatMessage, Usage } from '../../shared/model/chat-model.ts';
import type { EdgeBindings } from '../bindings.ts';
import type { Reply } from '../reply.ts';
import type { WireRequest } from '../wire/create-wire.ts';
import type { ConversationKey, StoredMessage } from './context-store.ts';
import type { TurnCommand } from './turn-command.ts';

export interface HistoryPage {
  /** How many messages the conversation has. */
  version: number;
  messages: StoredMessage[];
  /** Position of the first of `messages`, from 1. */
  first: number;
}

/** How a stop ended. `finished`: the turn had come to its own end before. */
export interface StopOutcome {
  turnId: string;
  status: 'cancelled' | 'finished';
  /** What was said until then. */
  text: string;
  usage: Usage;
}

/** A place in a turn's events. */
export interface TurnCursor {
  /** The running turn without it. */
  turnId: string | undefined;
  /** The number of the last event that the client has; -1 for none. */
  after: number;
  /** The wire of this reader; that on which the turn was asked without it. */
  wire?: WireRequest;
}

/** The object's methods as its stub has them. The platform's own type expands JSON without end. */
export interface SessionStub {
  startTurn(command: TurnCommand): Promise<Reply<Response>>;
  attach(cursor: TurnCursor): Promise<Reply<Response | undefined>>;
  describe(turnId: string, wire: WireRequest): Promise<Reply<Response>>;
  question(turnId: string): Promise<Reply<ChatMessage[]>>;
  stopTurn(turnId?: string): Promise<Reply<StopOutcome>>;
  removeTurn(turnId: string): Promise<Reply<void>>;
  history(key: ConversationKey, limit: number, before: number | undefined): Promise<Reply<HistoryPage>>;
  remove(key: ConversationKey, isLast?: boolean): Promise<Reply<void>>;
  forgetTurn(key: ConversationKey, turnId: string): Promise<Reply<string | undefined>>;
  archiveNow(): Promise<boolean>;
}

/** Carries the {@link SocketOwner} of an upgrade from our Worker to the object. */
export const SOCKET_OWNER_HEADER = 'x-edgewise-socket-owner';

export function sessionOf(bindings: Pick<EdgeBindings, 'SESSIONS'>, key: ConversationKey): SessionStub {
  return sessionObjectOf(bindings, key) as unknown as SessionStub;
}

export function sessionObjectOf(
  { SESSIONS }: Pick<EdgeBindings, 'SESSIONS'>,
  { tenant, user, sessionId }: ConversationKey,
): DurableObjectStub {
  return SESSIONS.get(SESSIONS.idFromName(JSON.stringify([tenant, user, sessionId])));
}
