/**
 * One turn's view of its conversation: reads the tail once, fits it into the window, keeps what is new.
 * Owns nothing that outlives the turn; the messages are the context store's.
 */
import type { ChatMessage, ChatRequest } from '../../shared/chat-model.ts';
import {
  type CountedMessage,
  type FittedWindow,
  fitWindow,
  type WindowLimits,
} from '../../shared/context-window.ts';
import { AppError } from '../../shared/errors.ts';
import type { ModelInfo, TokenEncoding } from '../../shared/generation-protocol.ts';
import { countMessageTokens, messageTokenBound, REPLY_PRIMING_TOKENS } from '../../shared/token-count.ts';
import type { ContextReceipt } from '../../shared/turn-events.ts';
import { type TurnResult, toAssistantMessage } from '../../shared/turn-result.ts';
import type { TurnConversation } from '../chat/answer-turn.ts';
import type { ModelChoice } from '../chat/choose-model.ts';
import type { ContextStore, ConversationKey, ConversationTail, StoredMessage } from './context-store.ts';
import type { TokenCounters } from './token-counters.ts';

export interface ConversationOptions {
  key: ConversationKey;
  turnId: string;
  store: ContextStore;
  request: ChatRequest;
  limits: WindowLimits;
  counters: TokenCounters;
  /** @throws AppError `model_not_found`, `core_unavailable` */
  describeModel: (name: string) => Promise<ModelInfo>;
  newId: () => string;
  /** Unix time in milliseconds. */
  now: () => number;
}

/** Enough for the default window even when rounds hold a few tool calls; more is read when it is not. */
const FIRST_READ = 32;
/** Most messages read for one turn. */
const MAX_READ = 512;

interface Prompt {
  encoding: TokenEncoding;
  limits: WindowLimits;
  window: FittedWindow;
}

export class Conversation implements TurnConversation {
  readonly #options: ConversationOptions;
  readonly #newest: ChatMessage[];
  readonly #newSystem: ChatMessage[];
  #tail: ConversationTail | undefined;
  #prompt: Prompt | undefined;
  #lastStored: StoredMessage | undefined;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#newSystem = options.request.messages.filter(isSystem);
    this.#newest = options.request.messages.filter((message) => !isSystem(message));
    if (this.#newest.length === 0) {
      throw new AppError('invalid_value', {
        param: 'messages',
        message: 'A session turn needs at least one message that is no system message.',
      });
    }
  }

  /** How many rounds the conversation has, as far as it was read; this turn's included once its question is stored. */
  get rounds(): number {
    return this.#lastStored?.round ?? this.#tail?.messages.at(-1)?.round ?? 0;
  }

  async load(): Promise<{ rounds: number }> {
    const { store, key, limits } = this.#options;
    let tail = await store.tail(key, FIRST_READ);
    let messages = tail.messages;
    while (messages.length < Math.min(tail.version, MAX_READ) && !holdsRounds(messages, limits.rounds)) {
      const before = tail.version - messages.length;
      tail = { ...tail, messages: (await store.tail(key, messages.length, before)).messages };
      messages = [...tail.messages, ...messages];
    }
    this.#tail = { ...tail, messages };
    return { rounds: this.rounds };
  }

  async fit(choice: ModelChoice): Promise<ChatRequest> {
    const { request, limits, counters, describeModel } = this.#options;
    const { encoding, context_length: contextLength } = (await describeModel(choice.model)).edgewise;
    const fitting = { rounds: limits.rounds, tokens: Math.min(limits.tokens, contextLength) };
    // Bytes bound tokens from above, so a conversation that fits by its bytes needs no tokenizer.
    const window =
      this.#fitsByBound(encoding, fitting) ?? this.#fit(encoding, fitting, await counters.load(encoding));
    this.#prompt = { encoding, limits: fitting, window };
    return { ...request, messages: window.messages };
  }

  async reload(choice: ModelChoice): Promise<ChatRequest> {
    await this.load();
    const tail = this.#loaded;
    const { turnId } = this.#options;
    this.#lastStored = tail.messages.findLast((message) => message.turnId === turnId);
    tail.messages = tail.messages.filter((message) => message.turnId !== turnId);
    return this.fit(choice);
  }

  async keepQuestion(): Promise<void> {
    const { store, key } = this.#options;
    const tail = this.#loaded;
    const messages = this.#chain(tail.messages.at(-1), this.#newest);
    const system = this.#newSystem.length > 0 ? this.#newSystem : undefined;
    tail.version = await store.append(key, { expectedVersion: tail.version, messages, system });
    this.#lastStored = messages.at(-1);
  }

  async receipt(): Promise<ContextReceipt> {
    const { encoding, window } = this.#fitted;
    const count = await this.#options.counters.load(encoding);
    const tokens = window.messages.reduce(
      (sum, message) => sum + countMessageTokens(message, count),
      REPLY_PRIMING_TOKENS,
    );
    return { rounds: window.rounds, roundsDropped: window.roundsDropped, tokens, encoding, summary: false };
  }

  async keepAnswer(result: TurnResult): Promise<void> {
    const answer = toAssistantMessage(result);
    if (!answer) return;
    const { store, key } = this.#options;
    const messages = this.#chain(this.#lastStored, [answer]);
    await store.append(key, { expectedVersion: this.#loaded.version, messages });
    this.#lastStored = messages.at(-1);
  }

  get #loaded(): ConversationTail {
    if (!this.#tail) throw new Error('the conversation has not been loaded');
    return this.#tail;
  }

  get #fitted(): Prompt {
    if (!this.#prompt) throw new Error('the conversation has not been fitted');
    return this.#prompt;
  }

  /** The window by upper bounds, if nothing that the rounds allow has to be left out for its size. */
  #fitsByBound(encoding: TokenEncoding, limits: WindowLimits): FittedWindow | undefined {
    try {
      const window = this.#fit(encoding, limits, undefined);
      const allowed = Math.min(limits.rounds, window.rounds + window.roundsDropped);
      return window.rounds === allowed ? window : undefined;
    } catch (error) {
      if (error instanceof AppError && error.code === 'context_length_exceeded') return undefined;
      throw error;
    }
  }

  #fit(
    encoding: TokenEncoding,
    limits: WindowLimits,
    count: ((text: string) => number) | undefined,
  ): FittedWindow {
    const size = (message: ChatMessage) =>
      count ? countMessageTokens(message, count) : messageTokenBound(message);
    const counted = (message: ChatMessage): CountedMessage => ({ message, tokens: size(message) });
    const { messages, system } = this.#loaded;
    const first = messages.findIndex(({ message }) => message.role === 'user');
    const history = first < 0 ? [] : messages.slice(first);
    return fitWindow(
      {
        system: (this.#newSystem.length > 0 ? this.#newSystem : system).map(counted),
        history: history.map(({ message, tokens }) =>
          tokens?.encoding === encoding ? { message, tokens: tokens.count } : counted(message),
        ),
        newest: this.#newest.map(counted),
        earlierRounds: (history[0]?.round ?? 1) - 1,
      },
      limits,
    );
  }

  /** The messages as the store keeps them, each following the one before. */
  #chain(previous: StoredMessage | undefined, messages: ChatMessage[]): StoredMessage[] {
    const { turnId, newId, now, counters } = this.#options;
    const { encoding } = this.#fitted;
    const count = counters.ready(encoding);
    const createdAtMs = now();
    let parent = previous;
    return messages.map((message) => {
      const round = (parent?.round ?? 0) + (message.role === 'user' || !parent ? 1 : 0);
      const stored: StoredMessage = {
        id: newId(),
        parentId: parent?.id ?? null,
        turnId,
        round,
        createdAtMs,
        message,
      };
      if (count) stored.tokens = { count: countMessageTokens(message, count), encoding };
      parent = stored;
      return stored;
    });
  }
}

function isSystem(message: ChatMessage): boolean {
  return message.role === 'system' || message.role === 'developer';
}

/** Whether the messages hold that many rounds from their beginning. */
function holdsRounds(messages: StoredMessage[], rounds: number): boolean {
  return messages.filter(({ message }) => message.role === 'user').length >= rounds;
}
