/**
 * What a session and the use case that answers its turns (`edge/chat/answer-prompt.ts`) know of each other. The Session
 * object owns the turn and its conversation; the use case takes them through the steps.
 */
import type { ChatRequest } from '../../shared/model/chat-model.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { ContextReceipt, NumberedTurnEvent, TurnEvent } from '../../shared/turn/turn-events.ts';
import type { TurnResult } from '../../shared/turn/turn-result.ts';
import type { ModelChoice } from '../models/model-choice.ts';
import type { TurnTimings } from '../observe/turn-timings.ts';
import type { TurnCommand } from './turn-command.ts';

/** A conversation as one turn goes through it. Each stage has the step that comes next, and no other. */
export interface TurnConversation {
  /** Reads the newest part of the history. @throws AppError `store_unavailable`, `turn_not_found` */
  open(): Promise<OpenedConversation>;
  /** Reads it again as it was when this turn's question had been stored: for a turn that resumes after a restart. */
  reopen(choice: ModelChoice): Promise<AskedConversation>;
}

export interface OpenedConversation<Asked = AskedConversation> {
  /** Rounds before this turn. */
  readonly rounds: number;
  /** Fits history and new messages into the model's window. @throws AppError `context_length_exceeded` */
  fit(choice: ModelChoice): Promise<FittedConversation<Asked>>;
}

export interface FittedConversation<Asked = AskedConversation> {
  /** What the model is asked. */
  readonly request: ChatRequest;
  /** Stores the new messages. @throws AppError when the store cannot be reached or has changed since */
  storeQuestion(): Promise<Asked>;
}

export type AskedConversation = {
  readonly request: ChatRequest;
  /** What of the conversation went to the model. Counting may take a while, so it is called with the answer. */
  receipt(): Promise<ContextReceipt>;
} & (
  | {
      storesAnswer: 'after-end';
      /** Called once, after the turn's last event. */
      storeAnswer(result: TurnResult): Promise<void>;
    }
  | {
      storesAnswer: 'before-end';
      /** The client keeps the conversation, and the turn's last event carries its new state. None for a failed turn. */
      sealAnswer(result: TurnResult): Promise<string | undefined>;
    }
);

/** What a turn that is cut off needs to resume, besides its command. */
export interface AskedModel {
  choice: ModelChoice;
  /** Unix time in seconds. */
  createdAt: number;
}

/** Events of a turn that belong together: the result of model events that arrived together. */
export interface TurnBatch {
  events: NumberedTurnEvent[];
  /** How many of the model's events have arrived by now: where to resume after a restart. */
  modelEvents: number;
}

/** One turn as its Session object runs it. */
export interface SessionTurn {
  command: TurnCommand;
  /** None for a turn that is here only for its idempotency key. */
  conversation: TurnConversation | undefined;
  timings: TurnTimings;
  /** Aborted when the turn's time is up or it is stopped. */
  signal: AbortSignal;
  /** Aborted, besides `signal`, when somebody stops the turn: it ends as cancelled, with its text kept. */
  stop: AbortSignal;
  /** Called once, right before the model is asked, which waits for it. */
  onAsk: (asked: AskedModel) => void | Promise<void>;
  /** Keeps the object awake for work that continues after the answer. */
  waitUntil: (work: Promise<unknown>) => void;
}

/** The events of a turn that are logged when it resumes. */
export interface LoggedTurn {
  events: TurnEvent[];
  modelEvents: number;
}

export interface TurnAnswering {
  /** @throws AppError `content_filter`, `filter_unavailable` */
  filterPrompt(
    request: ChatRequest,
    context: RequestContext,
    caller: { readonly signal: AbortSignal },
  ): Promise<ChatRequest>;
  /** @throws AppError from the steps before the model is asked; afterwards every failure is an event */
  answer(turn: SessionTurn): AsyncGenerator<TurnBatch, void, void>;
  /** Continues a turn that was cut off after its model was asked. */
  resume(turn: SessionTurn, asked: AskedModel, logged: LoggedTurn): AsyncGenerator<TurnBatch, void, void>;
}
