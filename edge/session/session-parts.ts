/** What a Session object works with, beyond its own storage; `edge/services.ts` makes it. */

import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { ArchiveClient } from '../core-client/archive-client.ts';
import type { Observer } from '../observe/observer.ts';
import type { WindowLimits } from './context-window.ts';
import type { TurnAnswering } from './turn-answering.ts';
import type { TurnConversations } from './turn-conversations.ts';

export interface SessionParts {
  answering: TurnAnswering;
  conversations: TurnConversations;
  /** Whether the key behind a caller may still be used; true for callers without one. Never rejects. */
  mayStay: (context: RequestContext) => Promise<boolean>;
  /** None where archiving is off. */
  archive: ArchiveClient | undefined;
  observer: Pick<Observer, 'measurements' | 'happened'>;
  settings: SessionSettings;
  now: () => number;
  wait: (ms: number) => Promise<void>;
  newId: () => string;
}

export interface SessionSettings {
  /** Where messages are kept; in the object's own storage without it. */
  redis: { url: string; token: string } | undefined;
  window: WindowLimits;
  heartbeatMs: number;
  turnTimeoutMs: number;
  /** Most bytes of a request's body, and of a message on a socket. */
  maxBodyBytes: number;
  /** How long a turn's events are kept. */
  turnTtlMs: number;
  sessionTtlMs: number;
}
