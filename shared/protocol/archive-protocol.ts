/**
 * What the edge sends to the core to keep for good. Every call is idempotent by the turns' ids, so that it can be made again
 * whenever it is not known how the last one went.
 *
 * - `POST   /v1/archive/turns`         {@link ArchiveRequest} -> {@link ArchiveAnswer}
 * - `GET    /v1/archive/sessions/:id`  -> {@link ArchivedSession}; 404 `session_not_found`
 * - `DELETE /v1/archive/sessions/:id`  -> `{}`, whether it was there or not
 * - `DELETE /v1/archive/sessions/:id/turns/:turn`  -> `{}`, whether it was there or not
 */
import type { ChatMessage, Usage } from '../model/chat-model.ts';
import type { ConversationNotes } from './memory-protocol.ts';

/** A message of a session, with its place. */
export interface ArchivedMessage {
  id: string;
  parentId: string | null;
  turnId: string;
  round: number;
  /** Unix time in milliseconds. */
  createdAtMs: number;
  message: ChatMessage;
  /** Its place among the messages of the same time. */
  position: number;
}

export interface ArchivedTurn {
  turnId: string;
  /** `null` for a request that stands alone: then there are no messages, and what is kept is its usage. */
  sessionId: string | null;
  status: string;
  startedAtMs: number;
  endedAtMs: number;
  /** The model that answered; empty when none did. */
  model: string;
  /** Where: `edge` or `core`. */
  place: string | null;
  /** How the cache took part. */
  cache: string | null;
  usage: Usage | null;
  /** The error's code, when it ended in one. */
  error: string | null;
  messages: ArchivedMessage[];
  /** The system prompt, where this turn set it. */
  system: ChatMessage[] | null;
  /** The conversation's notes are to go up to this round, since it will soon be out of the window; 0: as far as they go. */
  foldThroughRound: number;
}

export interface ArchiveRequest {
  turns: ArchivedTurn[];
  /** Most tokens that the conversation's notes may take. */
  notesTokens: number;
}

export interface ArchiveAnswer {
  /** Of the conversation that the turns belong to, where it has some. */
  notes: ConversationNotes | null;
}

export interface ArchivedSession {
  system: ChatMessage[];
  /** In their order; the newest ones where there are too many for one answer. */
  messages: ArchivedMessage[];
  notes: ConversationNotes | null;
}

/** Turns of one call, at most. */
export const MAX_ARCHIVED_TURNS = 200;
/** Turns with their messages of one call, at most. */
export const MAX_ARCHIVED_SESSION_TURNS = 20;
/** Messages of a session that are brought back, at most. */
export const MAX_RESTORED_MESSAGES = 1000;
