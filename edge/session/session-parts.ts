/** What a Session object works with, beyond its own storage; `edge/services.ts` makes it. */
import type { ArchiveClient } from '../core-client/archive-client.ts';
import type { Observer } from '../observe/observer.ts';
import type { WindowLimits } from './context-window.ts';
import type { TurnAnswering } from './turn-answering.ts';
import type { TurnConversations } from './turn-conversations.ts';

export interface SessionParts {
  answering: TurnAnswering;
  conversations: TurnConversations;
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
  /** How long a turn's events are kept. */
  turnTtlMs: number;
  sessionTtlMs: number;
}
