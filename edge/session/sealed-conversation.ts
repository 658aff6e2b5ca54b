/**
 * A turn of a conversation that the client keeps: opened from its sealed state, and sealed again with the
 * answer. Between turns nothing is kept here but the number of the newest one, so that an old or forked
 * state is refused.
 */

import { AppError } from '../../shared/errors.ts';
import type { ChatRequest } from '../../shared/model/chat-model.ts';
import type { ContextReceipt } from '../../shared/turn/turn-events.ts';
import type { TurnResult } from '../../shared/turn/turn-result.ts';
import type { TurnConversation } from '../chat/answer-turn.ts';
import type { ModelChoice } from '../chat/choose-model.ts';
import type { EdgeBindings } from '../env.ts';
import type { EdgeServices } from '../services.ts';
import type { ContextStore, StoredMessage } from './context-store.ts';
import type { Conversation } from './conversation.ts';
import { type ConversationTurn, conversationOfTurn } from './conversation-of-turn.ts';
import { type DirectoryStub, directoryOf } from './directory-object.ts';
import type { SealedContent, StateSealer } from './sealed-state.ts';

/** What a client sends to begin a conversation of its own. */
export const NEW_STATE = 'new';

export interface SealedTurn extends Omit<ConversationTurn, 'sessionId'> {
  /** The state that the client sent, or {@link NEW_STATE}. */
  state: string;
}

interface SealedConversationOptions {
  services: EdgeServices;
  sealer: StateSealer;
  directory: DirectoryStub;
  turn: SealedTurn;
}

/** @throws AppError `unsupported_value` when this server has no keys to seal with */
export function sealedConversationOfTurn(
  bindings: Pick<EdgeBindings, 'DIRECTORY'>,
  services: EdgeServices,
  turn: SealedTurn,
): SealedConversation {
  const { sealer } = services;
  if (!sealer) {
    const message = "'x-edgewise-state' is not offered here: no key is configured.";
    throw new AppError('unsupported_value', { param: 'x-edgewise-state', message });
  }
  return new SealedConversation({ services, sealer, directory: directoryOf(bindings, turn.context), turn });
}

export class SealedConversation implements TurnConversation {
  readonly #options: SealedConversationOptions;
  #opened: { before: SealedContent; messages: MessageList; conversation: Conversation } | undefined;

  constructor(options: SealedConversationOptions) {
    this.#options = options;
  }

  /** @throws AppError `state_invalid`, `state_too_large`, `state_stale`, `state_busy` */
  async load(): Promise<{ rounds: number }> {
    const { services, sealer, turn } = this.#options;
    const isNew = turn.state === NEW_STATE;
    const before = isNew ? newContent(services) : await sealer.open(turn.context, turn.state);
    // Nobody else can know a new conversation's name, so there is nothing to claim.
    if (!isNew) await this.#claim(before);
    const messages = new MessageList(before);
    const conversation = conversationOfTurn(services, messages, { ...turn, sessionId: before.conversation });
    this.#opened = { before, messages, conversation };
    return this.#releaseOnError(() => conversation.load());
  }

  fit(choice: ModelChoice): Promise<ChatRequest> {
    return this.#releaseOnError(() => this.#open.conversation.fit(choice));
  }

  keepQuestion(): Promise<void> {
    return this.#open.conversation.keepQuestion();
  }

  async reload(choice: ModelChoice): Promise<ChatRequest> {
    await this.load();
    const request = await this.fit(choice);
    await this.keepQuestion();
    return request;
  }

  /** A turn that failed has no new state: the old one can be used again. */
  async receipt(result: TurnResult): Promise<ContextReceipt> {
    const { services, sealer, directory, turn } = this.#options;
    const { before, messages, conversation } = this.#open;
    const receipt = await conversation.receipt();
    if (result.status === 'failed') {
      await this.release();
      return receipt;
    }
    await conversation.keepAnswer(result);
    const after = { ...before, ...messages.content, turn: before.turn + 1, sealedAtMs: services.now() };
    const state = await sealer.seal(turn.context, after);
    await directory.advanceState(after.conversation, after.turn, turn.turnId, after.sealedAtMs);
    return { ...receipt, state };
  }

  /** The receipt has the answer already. */
  async keepAnswer(): Promise<void> {}

  /** Gives the turn back when nothing came of it. Without effect once it is answered. */
  async release(): Promise<void> {
    const { directory, turn } = this.#options;
    if (this.#opened) await directory.releaseState(this.#opened.before.conversation, turn.turnId);
  }

  async #claim({ conversation, turn }: SealedContent): Promise<void> {
    const { services, directory } = this.#options;
    const { turnTimeoutMs, sessionTtlMs } = services.config;
    const outcome = await directory.claimState({
      conversation,
      turn,
      turnId: this.#options.turn.turnId,
      nowMs: services.now(),
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

  get #open() {
    if (!this.#opened) throw new Error('the conversation has not been loaded');
    return this.#opened;
  }
}

function newContent({ newId, now }: EdgeServices): SealedContent {
  return { conversation: newId(), turn: 0, sealedAtMs: now(), firstRound: 1, system: [], messages: [] };
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
