import type { ChatRequest } from '../../shared/model/chat-model.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { WireRequest } from '../wire/create-wire.ts';
import type { TurnBranch } from './message-tree.ts';

/** What starts a turn. Kept with the turn, so that it can go on after a restart. */
export interface TurnCommand {
  context: RequestContext;
  sessionId: string;
  turnId: string;
  /** Unix time in seconds. */
  createdAt: number;
  request: ChatRequest;
  /** Where the turn goes on; after the newest message without it. */
  branch?: TurnBranch | undefined;
  /** Whether the request's system messages hold for this turn alone. */
  ownSystem?: boolean | undefined;
  /** The turn belongs to no conversation; it is here for the sake of its idempotency key. */
  alone?: boolean | undefined;
  /** The conversation is the client's to keep: what it sent of it, sealed. */
  state?: string | undefined;
  /** The client's `Cache-Control`. */
  cacheControl?: string | undefined;
  /** A second turn with the same key is the first one, read again. */
  idempotency?: { key: string; bodyHash: string } | undefined;
  /** Whether the answer to the client is that the turn has begun, and no more. */
  background?: boolean | undefined;
  /** How the client that started the turn reads it; whoever attaches later reads the same bytes. */
  wire: WireRequest;
}
