/**
 * One turn's view of its conversation: reads the tail once, fits it into the window, keeps what is new.
 * Owns nothing that outlives the turn; the messages are the context store's.
 */

import { AppError } from '../../shared/errors.ts';
import type { ChatMessage, ChatRequest } from '../../shared/model/chat-model.ts';
import type { TokenEncoding } from '../../shared/model/token-count.ts';
import {
  countMessageTokens,
  messageTokenBound,
  REPLY_PRIMING_TOKENS,
  withinBudget,
} from '../../shared/model/token-count.ts';
import type { CountTokens } from '../../shared/model/with-counted-usage.ts';
import type { ModelInfo } from '../../shared/protocol/generation-protocol.ts';
import {
  type ConversationNotes,
  MEMORY_PART,
  MEMORY_TOKENS,
  type RecallWish,
  toNotesMessage,
} from '../../shared/protocol/memory-protocol.ts';
import type { ContextReceipt } from '../../shared/turn/turn-events.ts';
import { toAssistantMessage } from '../../shared/turn/turn-result.ts';
import type { ModelChoice } from '../models/model-choice.ts';
import type { TokenCounters } from '../models/token-counters.ts';
import type { ContextStore, ConversationKey, ConversationTail, StoredMessage } from './context-store.ts';
import { type CountedMessage, type FittedWindow, fitWindow, type WindowLimits } from './context-window.ts';
import {
  findPlace,
  holdsRounds,
  isAfterNotes,
  pathTo,
  repeatedQuestion,
  type TurnBranch,
} from './message-tree.ts';
import type { AskedConversation, OpenedConversation, TurnConversation } from './turn-answering.ts';

/** A conversation whose answer its store takes. */
export type StoredConversation = Extract<AskedConversation, { storesAnswer: 'after-end' }>;

export interface ConversationOptions {
  key: ConversationKey;
  turnId: string;
  store: ContextStore;
  request: ChatRequest;
  limits: WindowLimits;
  counters: TokenCounters;
  /** Where the turn goes on; after the newest message without it. */
  branch: TurnBranch | undefined;
  /** What is known of rounds that are out of the window. */
  notes: ConversationNotes | undefined;
  /** Whether the core keeps messages, and can look for them. */
  canRecall: boolean;
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

/** Enough for the default window even when rounds hold a few tool calls; more is read when it is not. */
const FIRST_READ = 32;
/** Most messages read for one turn. */
const MAX_READ = 512;

interface Fitting extends WindowLimits {
  reservedTokens: number;
}

/** The path of stored messages that the turn continues. */
interface History extends ConversationTail {
  /** This turn's messages. */
  newest: ChatMessage[];
  /** The last message of this turn's question, where it is stored already. */
  question: StoredMessage | undefined;
  /** This turn's answer is stored already: the process ended right after that. */
  isAnswered: boolean;
}

interface Prompt {
  encoding: TokenEncoding;
  window: FittedWindow;
  request: ChatRequest;
}

export class Conversation implements TurnConversation {
  readonly #options: ConversationOptions;
  readonly #newest: ChatMessage[];
  readonly #newSystem: ChatMessage[];
  #rounds = 0;

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
    return this.#rounds;
  }

  async open(): Promise<OpenedConversation<StoredConversation>> {
    const history = await this.#read(() => false);
    return {
      rounds: this.#rounds,
      fit: async (choice) => {
        const prompt = await this.#fit(history, choice);
        const storeQuestion = () => this.#storeQuestion(history, prompt);
        return { request: prompt.request, storeQuestion };
      },
    };
  }

  async reopen(choice: ModelChoice): Promise<StoredConversation> {
    const { turnId } = this.#options;
    const history = await this.#read((message) => message.turnId === turnId);
    const prompt = await this.#fit(history, choice);
    return this.#asked(prompt, history.version, history);
  }

  /** Reads back from the end until the branch's place is found and the window's rounds are in. */
  async #read(isOurs: (message: StoredMessage) => boolean): Promise<History> {
    const { store, key, limits, branch } = this.#options;
    const { version, system, messages } = await store.tail(key, FIRST_READ);
    for (;;) {
      const others = messages.filter((message) => !isOurs(message));
      const place = findPlace(others, branch);
      const path = place && pathTo(others, place.head);
      const all = messages.length >= version || messages.length >= MAX_READ;
      const enough = path && holdsRounds(path.messages, limits.rounds) && this.#meetsNotes(path.messages);
      if (path && (all || path.complete || enough)) {
        const ours = messages.filter(isOurs);
        const repeated =
          branch || ours.length > 0 || this.#newSystem.length > 0
            ? undefined
            : repeatedQuestion(path.messages, this.#newest);
        // A question that is answered again is stored: it is neither stored again nor part of what came before it.
        const again = place.again ?? repeated;
        const before = repeated ? path.messages.slice(0, -repeated.length) : path.messages;
        const newest = again ? again.map(({ message }) => message) : this.#newest;
        const question = ours.findLast(({ message }) => message.role !== 'assistant') ?? again?.at(-1);
        const isAnswered = ours.some(({ message }) => message.role === 'assistant');
        this.#rounds = (question ?? before.at(-1))?.round ?? 0;
        return { version, system, messages: before, newest, question, isAnswered };
      }
      if (all) throw new AppError('turn_not_found');
      messages.unshift(...(await store.tail(key, messages.length, version - messages.length)).messages);
    }
  }

  /** Whether the path reaches the end of the notes, or no notes could be of it. */
  #meetsNotes(path: StoredMessage[]): boolean {
    const { notes } = this.#options;
    const oldest = path[0];
    return !notes || !oldest || isAfterNotes(path, notes) || oldest.round <= notes.throughRound;
  }

  async #fit(history: History, choice: ModelChoice): Promise<Prompt> {
    const { request, limits, counters, describeModel } = this.#options;
    const { encoding, context_length: contextLength } = (await describeModel(choice.model)).edgewise;
    const fitting = {
      rounds: limits.rounds,
      tokens: Math.min(limits.tokens, contextLength),
      reservedTokens: this.#recalls(choice) ? memoryTokens(limits) : 0,
    };
    // Bytes bound tokens from above, so a conversation that fits by its bytes needs no tokenizer.
    const window =
      this.#windowByBound(history, encoding, fitting) ??
      this.#window(history, { encoding, fitting, count: await counters.load(encoding) });
    const recall = this.#recalls(choice) && { recall: this.#wish(window, fitting.tokens) };
    return { encoding, window, request: { ...request, messages: window.messages, ...recall } };
  }

  /** A model at the edge is asked at once, with what is here. */
  #recalls({ route }: ModelChoice): boolean {
    return this.#options.canRecall && route.place === 'core';
  }

  #wish(window: FittedWindow, windowTokens: number): RecallWish {
    const { request, key, limits } = this.#options;
    const knowledge = request.recall?.knowledge ?? false;
    const most = memoryTokens(limits) + (request.recall?.tokens ?? 0);
    const tokens = Math.max(0, Math.min(most, windowTokens - window.tokens));
    return { sessionId: key.sessionId, throughRound: window.roundsDropped, knowledge, tokens };
  }

  async #storeQuestion(history: History, prompt: Prompt): Promise<StoredConversation> {
    const { store, key, keepSystem } = this.#options;
    if (history.question) return this.#asked(prompt, history.version, history);
    const messages = this.#chain(history.messages.at(-1), history.newest, prompt.encoding);
    const system = keepSystem && this.#newSystem.length > 0 ? this.#newSystem : undefined;
    const version = await store.append(key, { expectedVersion: history.version, messages, system });
    const question = messages.at(-1);
    this.#rounds = question?.round ?? this.#rounds;
    return this.#asked(prompt, version, { question, isAnswered: false });
  }

  #asked(
    prompt: Prompt,
    version: number,
    { question, isAnswered }: Pick<History, 'question' | 'isAnswered'>,
  ): StoredConversation {
    return {
      request: prompt.request,
      receipt: () => this.#receipt(prompt),
      storesAnswer: 'after-end',
      storeAnswer: async (result) => {
        const answer = toAssistantMessage(result);
        if (answer && !isAnswered)
          await this.#storeAnswer(this.#chain(question, [answer], prompt.encoding), version);
      },
    };
  }

  async #receipt({ encoding, window }: Prompt): Promise<ContextReceipt> {
    const count = withinBudget(await this.#options.counters.load(encoding));
    const tokens = window.messages.reduce(
      (sum, message) => sum + countMessageTokens(message, count),
      REPLY_PRIMING_TOKENS,
    );
    const { rounds, roundsDropped, hasNotes } = window;
    return { rounds, roundsDropped, tokens, encoding, summary: hasNotes };
  }

  async #storeAnswer(messages: StoredMessage[], expectedVersion: number): Promise<void> {
    const { store, key, wait } = this.#options;
    // The client has the answer; the history must not lack it because the store was away for a moment.
    for (let attempt = 1; ; attempt++) {
      try {
        await store.append(key, { expectedVersion, messages });
        break;
      } catch (error) {
        const away = error instanceof AppError && error.code === 'store_unavailable';
        if (!away || attempt === KEEP_ATTEMPTS) throw error;
        await wait(KEEP_FIRST_WAIT_MS * 2 ** (attempt - 1));
      }
    }
    this.#rounds = messages.at(-1)?.round ?? this.#rounds;
  }

  /** The window by upper bounds, if nothing that the rounds allow has to be left out for its size. */
  #windowByBound(history: History, encoding: TokenEncoding, fitting: Fitting): FittedWindow | undefined {
    try {
      const window = this.#window(history, { encoding, fitting, count: undefined });
      const allowed = Math.min(fitting.rounds, window.rounds + window.roundsDropped);
      return window.rounds === allowed ? window : undefined;
    } catch (error) {
      if (error instanceof AppError && error.code === 'context_length_exceeded') return undefined;
      throw error;
    }
  }

  #window(
    { messages, system, newest }: History,
    {
      encoding,
      fitting,
      count,
    }: { encoding: TokenEncoding; fitting: Fitting; count: CountTokens | undefined },
  ): FittedWindow {
    const { reservedTokens, ...limits } = fitting;
    const counter = count && withinBudget(count);
    const size = (message: ChatMessage) =>
      counter ? countMessageTokens(message, counter) : messageTokenBound(message);
    const counted = (message: ChatMessage): CountedMessage => ({ message, tokens: size(message) });
    const first = messages.findIndex(({ message }) => message.role === 'user');
    const history = first < 0 ? [] : messages.slice(first);
    return fitWindow(
      {
        system: (this.#newSystem.length > 0 ? this.#newSystem : system).map(counted),
        history: history.map(({ message, tokens }) =>
          tokens?.encoding === encoding ? { message, tokens: tokens.count } : counted(message),
        ),
        newest: newest.map(counted),
        earlierRounds: (history[0]?.round ?? 1) - 1,
        notes: this.#notesOf(messages, counted),
        reservedTokens,
      },
      limits,
    );
  }

  /** The notes, if they are of this branch of the conversation. */
  #notesOf(
    path: StoredMessage[],
    counted: (message: ChatMessage) => CountedMessage,
  ): CountedMessage | undefined {
    const { notes } = this.#options;
    if (!notes || notes.lines.length === 0 || !isAfterNotes(path, notes)) return undefined;
    return counted(toNotesMessage(notes));
  }

  /** The messages as the store keeps them, each following the one before. */
  #chain(
    previous: StoredMessage | undefined,
    messages: ChatMessage[],
    encoding: TokenEncoding,
  ): StoredMessage[] {
    const { turnId, newId, now, counters } = this.#options;
    const ready = counters.ready(encoding);
    const count = ready && withinBudget(ready);
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

function memoryTokens({ tokens }: WindowLimits): number {
  return Math.min(MEMORY_TOKENS, Math.floor(tokens * MEMORY_PART));
}

function isSystem(message: ChatMessage): boolean {
  return message.role === 'system' || message.role === 'developer';
}
