/**
 * Where a conversation's messages are kept: an append-only list of JSON messages with a version, so that
 * two writers cannot lose each other's turn. Two implementations, one contract suite.
 */
import type { ChatMessage } from '../../shared/model/chat-model.ts';
import type { TokenEncoding } from '../../shared/model/token-count.ts';

/** Who owns the conversation, and its `session_id`. All three are part of every key. */
export interface ConversationKey {
  tenant: string;
  user: string;
  sessionId: string;
}

export interface StoredMessage {
  id: string;
  /** The message this one follows; `null` for the first of a conversation. */
  parentId: string | null;
  turnId: string;
  /** The round it belongs to, from 1: a user message and everything up to the next. */
  round: number;
  /** Unix time in milliseconds. */
  createdAtMs: number;
  message: ChatMessage;
  /** Its size, once counted. */
  tokens?: { count: number; encoding: TokenEncoding };
}

export interface ConversationTail {
  /** How many messages were ever appended. */
  version: number;
  /** The system prompt in force. */
  system: ChatMessage[];
  /** The newest messages before `before`, oldest first. */
  messages: StoredMessage[];
}

export interface Append {
  /** The version that the writer has seen. */
  expectedVersion: number;
  messages: StoredMessage[];
  /** Replaces the system prompt. */
  system?: ChatMessage[] | undefined;
}

export interface ContextStore {
  /**
   * @param limit Most messages to read.
   * @param before Only messages that were appended before this version; all without it.
   * @throws AppError `store_unavailable`
   */
  tail(key: ConversationKey, limit: number, before?: number): Promise<ConversationTail>;
  /**
   * An append that was applied already, whose response was lost, is applied once.
   * @returns the new version
   * @throws AppError `session_conflict` when somebody else appended since, `store_unavailable`
   */
  append(key: ConversationKey, append: Append): Promise<number>;
  /**
   * Puts other messages in the place of a turn's, in their places.
   * @returns whether there were any @throws AppError `store_unavailable`
   */
  redact(
    key: ConversationKey,
    turnId: string,
    replace: (message: ChatMessage) => ChatMessage,
  ): Promise<boolean>;
  /** @returns whether there was anything to remove @throws AppError `store_unavailable` */
  remove(key: ConversationKey): Promise<boolean>;
}

/** Its size is to be counted anew. */
export function redactMessage(
  { tokens: _, ...stored }: StoredMessage,
  replace: (message: ChatMessage) => ChatMessage,
): StoredMessage {
  return { ...stored, message: replace(stored.message) };
}
