/**
 * A turn of a conversation that the client keeps: opened from its sealed state, and sealed again with the
 * answer. Between turns nothing is kept here but the number of the newest one, so that an old or forked
 * state is refused.
 */

import { AppError } from '../../shared/errors.ts';
import type { TurnResult } from '../../shared/turn/turn-result.ts';
import type { ModelChoice } from '../models/model-choice.ts';
import type { ContextStore, StoredMessage } from './context-store.ts';
import type { Conversation, StoredConversation } from './conversation.ts';
import type { DirectoryStub } from './directory-object.ts';
import type { SealedContent, StateOwner, StateSealer } from './sealed-state.ts';
import type { AskedConversation, OpenedConversation, TurnConversation } from './turn-answering.ts';

/** What a client sends to begin a conversation of its own. */
export const NEW_STATE = 'new';

export interface SealedConversationOptions {
  owner: StateOwner;
  turnId: string;
  /** The state that the client sent, or {@link NEW_STATE}. */
  state: string;
  sealer: StateSealer;
  directory: DirectoryStub;
  /** The turn's view of the opened messages. */
  conversationOf: (store: ContextStore, sessionId: string) => Conversation;
  /** How long a turn may hold its conversation. */
  turnTimeoutMs: number;
  sessionTtlMs: number;
  newId: () => string;
  now: () => number;
}

interface Opened {
  before: SealedContent;
  messages: MessageList;
  conversation: Conversation;
}

export class SealedConversation implements TurnConversation {
  readonly #options: SealedConversationOptions;
  /** The conversation that this turn holds, once it does. */
  #claimed: string | undefined;

  constructor(options: SealedConversationOptions) {
    this.#options = options;
  }

  /** @throws AppError `state_invalid`, `state_too_large`, `state_stale`, `state_busy` */
  async open(): Promise<OpenedConversation> {
    const opened = await this.#open();
    const read = await this.#releaseOnError(() => opened.conversation.open());
    return {
      rounds: read.rounds,
      fit: async (choice) => {
        const { request, storeQuestion } = await this.#releaseOnError(() => read.fit(choice));
        return { request, storeQuestion: async () => this.#asked(opened, await storeQuestion()) };
      },
    };
  }

  async reopen(choice: ModelChoice): Promise<AskedConversation> {
    const opened = await this.open();
    const fitted = await opened.fit(choice);
    return fitted.storeQuestion();
  }

  /** Gives the turn back when nothing came of it. Without effect once it is answered. */
  async release(): Promise<void> {
    const { directory, turnId } = this.#options;
    if (this.#claimed !== undefined) await directory.releaseState(this.#claimed, turnId);
  }

  async #open(): Promise<Opened> {
    const { owner, state, sealer, newId, now, conversationOf } = this.#options;
    const isNew = state === NEW_STATE;
    const before = isNew ? newContent(newId(), now()) : await sealer.open(owner, state);
    // Nobody else can know a new conversation's name, so there is nothing to claim.
    if (!isNew) await this.#claim(before);
    this.#claimed = before.conversation;
    const messages = new MessageList(before);
    return { before, messages, conversation: conversationOf(messages, before.conversation) };
  }

  #asked(opened: Opened, stored: StoredConversation): AskedConversation {
    return {
      request: stored.request,
      receipt: () => stored.receipt(),
      storesAnswer: 'before-end',
      sealAnswer: (result) => this.#sealAnswer(opened, stored, result),
    };
  }

  /** A turn that failed has no new state: the old one can be used again. */
  async #sealAnswer(
    { before, messages }: Opened,
    stored: StoredConversation,
    result: TurnResult,
  ): Promise<string | undefined> {
    const { owner, turnId, sealer, directory, now } = this.#options;
    if (result.status === 'failed') {
      await this.release();
      return undefined;
    }
    await stored.storeAnswer(result);
    const after = { ...before, ...messages.content, turn: before.turn + 1, sealedAtMs: now() };
    const state = await sealer.seal(owner, after);
    await directory.advanceState(after.conversation, after.turn, turnId, after.sealedAtMs);
    return state;
  }

  async #claim({ conversation, turn }: SealedContent): Promise<void> {
    const { directory, turnId, turnTimeoutMs, sessionTtlMs, now } = this.#options;
    const outcome = await directory.claimState({
      conversation,
      turn,
      turnId,
      nowMs: now(),
      holdMs: turnTimeoutMs,
      ttlMs: sessionTtlMs,
    });
    if (outcome === 'busy') throw new AppError('state_busy', { retryAfterMs: 1000 });
    if (outcome === 'stale') throw new AppError('state_stale');
  }

  async #releaseOnError<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      await this.release();
      throw error;
    }
  }
}

function newContent(conversation: string, sealedAtMs: number): SealedContent {
  return { conversation, turn: 0, sealedAtMs, firstRound: 1, system: [], messages: [] };
}

/** The messages of one opened state, as the conversation wants them; lives as long as the turn. */
class MessageList implements ContextStore {
  readonly #messages: StoredMessage[] = [];
  #system: SealedContent['system'];

  constructor({ messages, system, firstRound, sealedAtMs }: SealedContent) {
    this.#system = system;
    let round = firstRound - 1;
    messages.forEach((message, index) => {
      if (message.role === 'user' || index === 0) round++;
      const parentId = index === 0 ? null : String(index - 1);
      const stored = { id: String(index), parentId, turnId: '', round, createdAtMs: sealedAtMs, message };
      this.#messages.push(stored);
    });
  }

  get content(): Pick<SealedContent, 'system' | 'messages'> {
    return { system: this.#system, messages: this.#messages.map(({ message }) => message) };
  }

  async tail(_key: unknown, limit: number, before = this.#messages.length) {
    const messages = this.#messages.slice(Math.max(0, before - limit), before);
    return { version: this.#messages.length, system: this.#system, messages };
  }

  async append(_key: unknown, { messages, system }: Parameters<ContextStore['append']>[1]): Promise<number> {
    this.#messages.push(...messages);
    if (system) this.#system = system;
    return this.#messages.length;
  }

  /** It is the client's to forget. */
  async redact(): Promise<boolean> {
    return false;
  }

  async remove(): Promise<boolean> {
    return this.#messages.splice(0).length > 0;
  }
}
