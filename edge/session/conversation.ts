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
  /** Where the turn goes on; after the newest message without it. */
  branch: TurnBranch | undefined;
  /** Whether the request's system messages replace the conversation's, or hold for this turn alone. */
  keepSystem: boolean;
  /** @throws AppError `model_not_found`, `core_unavailable` */
  describeModel: (name: string) => Promise<ModelInfo>;
  newId: () => string;
  /** Resolves after that many milliseconds. */
  wait: (ms: number) => Promise<void>;
  /** Unix time in milliseconds. */
  now: () => number;
}

/** How often an answer is tried to be stored, over about six seconds. */
const KEEP_ATTEMPTS = 6;
const KEEP_FIRST_WAIT_MS = 200;

/** Where in the tree of a conversation's messages a turn goes on. */
export type TurnBranch =
  /** After the last message of a turn. */
  | { kind: 'after-turn'; turnId: string }
  /** After a message; `null` is the beginning. */
  | { kind: 'after-message'; messageId: string | null }
  /** A turn's question is answered once more; the newest turn's without a name. */
  | { kind: 'again'; turnId: string | undefined };

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
  #newest: ChatMessage[];
  readonly #newSystem: ChatMessage[];
  #tail: ConversationTail | undefined;
  #prompt: Prompt | undefined;
  #lastStored: StoredMessage | undefined;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#newSystem = options.request.messages.filter(isSystem);
    this.#newest = options.request.messages.filter((message) => !isSystem(message));
    if (this.#newest.length === 0 && options.branch?.kind !== 'again') {
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
    await this.#read();
    return { rounds: this.rounds };
  }

  /** Reads back from the end until the branch's place is found and the window's rounds are in. */
  async #read(isOurs: (message: StoredMessage) => boolean = () => false): Promise<void> {
    const { store, key, limits, branch } = this.#options;
    const { version, system, messages } = await store.tail(key, FIRST_READ);
    for (;;) {
      const others = messages.filter((message) => !isOurs(message));
      const place = findPlace(others, branch);
      const path = place && pathTo(others, place.head);
      const all = messages.length >= version || messages.length >= MAX_READ;
      if (path && (all || path.complete || holdsRounds(path.messages, limits.rounds))) {
        this.#tail = { version, system, messages: path.messages };
        if (place.again) this.#answerAgain(place.again);
        this.#lastStored = messages.findLast(isOurs) ?? this.#lastStored;
        return;
      }
      if (all) throw new AppError('turn_not_found');
      messages.unshift(...(await store.tail(key, messages.length, version - messages.length)).messages);
    }
  }

  /** The question is stored already: it is neither stored again nor part of what came before it. */
  #answerAgain(question: StoredMessage[]): void {
    this.#newest = question.map(({ message }) => message);
    this.#lastStored = question.at(-1);
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
    const { turnId } = this.#options;
    await this.#read((message) => message.turnId === turnId);
    return this.fit(choice);
  }

  async keepQuestion(): Promise<void> {
    const { store, key, keepSystem } = this.#options;
    if (this.#lastStored) return;
    const tail = this.#loaded;
    const messages = this.#chain(tail.messages.at(-1), this.#newest);
    const system = keepSystem && this.#newSystem.length > 0 ? this.#newSystem : undefined;
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
    const { store, key, wait } = this.#options;
    const messages = this.#chain(this.#lastStored, [answer]);
    // The client has the answer; the history must not lack it because the store was away for a moment.
    for (let attempt = 1; ; attempt++) {
      try {
        await store.append(key, { expectedVersion: this.#loaded.version, messages });
        break;
      } catch (error) {
        const away = error instanceof AppError && error.code === 'store_unavailable';
        if (!away || attempt === KEEP_ATTEMPTS) throw error;
        await wait(KEEP_FIRST_WAIT_MS * 2 ** (attempt - 1));
      }
    }
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

interface Place {
  /** The message that the turn follows; `undefined` at the beginning of the conversation. */
  head: StoredMessage | undefined;
  /** The question to answer once more. */
  again?: StoredMessage[];
}

/** @returns `undefined` when it is not among these messages */
function findPlace(messages: StoredMessage[], branch: TurnBranch | undefined): Place | undefined {
  if (!branch) return { head: messages.at(-1) };
  if (branch.kind === 'after-message') {
    if (branch.messageId === null) return { head: undefined };
    const head = messages.find(({ id }) => id === branch.messageId);
    return head && { head };
  }
  const turnId = branch.turnId ?? messages.at(-1)?.turnId;
  const turn = messages.filter((message) => message.turnId === turnId);
  if (branch.kind === 'after-turn') return turn.length > 0 ? { head: turn.at(-1) } : undefined;
  // An answer given again has no question of its own: it hangs on that of the turn before.
  const answer = turn.find(({ message }) => message.role === 'assistant');
  const question = turn.filter(({ message }) => message.role !== 'assistant');
  const asked = messages.find(({ id }) => id === answer?.parentId);
  if (question.length === 0 && asked) return findPlace(messages, { kind: 'again', turnId: asked.turnId });
  const [first] = question;
  if (!first) return undefined;
  const head = messages.find(({ id }) => id === first.parentId);
  return head || first.parentId === null ? { head, again: question } : undefined;
}

/** The messages that lead to one, oldest first, as far as they are here. */
function pathTo(
  messages: StoredMessage[],
  head: StoredMessage | undefined,
): { messages: StoredMessage[]; complete: boolean } {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const path: StoredMessage[] = [];
  let next = head;
  while (next) {
    path.push(next);
    next = next.parentId === null ? undefined : byId.get(next.parentId);
  }
  const oldest = path.at(-1);
  return { messages: path.reverse(), complete: oldest === undefined || oldest.parentId === null };
}
