/** What others ask of the way of a prompt (`answer-prompt.ts`), and the parts that it needs for it. */
import type { ChatModel, ChatRequest } from '../../shared/model/chat-model.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { NumberedTurnEvent } from '../../shared/turn/turn-events.ts';
import type { AnswerCache } from '../cache/answer-cache.ts';
import type { QuestionMemo } from '../cache/answer-key.ts';
import type { UsageReporter } from '../core-client/usage-reporter.ts';
import type { Limiter } from '../limits/create-limiter.ts';
import type { Observer } from '../observe/observer.ts';
import type { TurnTimings } from '../observe/turn-timings.ts';
import type { PromptMemo } from '../plugins/plugin.ts';
import type { Reply } from '../reply.ts';
import type { TurnAnswering, TurnBatch } from '../session/turn-answering.ts';
import type { TurnCommand } from '../session/turn-command.ts';
import type { TurnConversations } from '../session/turn-conversations.ts';
import type { TurnCall, TurnModels } from './turn-models.ts';
import type { TurnPlugins } from './turn-plugins.ts';

export interface AnswerPromptParts {
  pluginsOf: (context: RequestContext, memo?: PromptMemo) => TurnPlugins;
  conversations: Pick<TurnConversations, 'sealed'>;
  /** Name of the light model, where one is configured. */
  lightModel: string | undefined;
  /** None when it is switched off. */
  cache: Pick<AnswerCache, 'ofTurn' | 'findLocal'> | undefined;
  limiter: Pick<Limiter, 'layer'>;
  models: TurnModels;
  observer: Pick<Observer, 'turnEnded' | 'answeredAtOnce'>;
  usage: UsageReporter;
  turnTimeoutMs: number;
  /** Unix time in milliseconds. */
  now: () => number;
}

/** Whose signal is aborted when the client disconnects. */
export interface PromptCaller {
  readonly signal: AbortSignal;
}

/** What was derived from a prompt before, kept beside it by whoever keeps the prompt. */
export interface DerivedFromPrompt {
  plugins: PromptMemo;
  question: QuestionMemo;
}

export interface StatelessPrompt {
  context: RequestContext;
  turnId: string;
  request: ChatRequest;
  derived?: DerivedFromPrompt | undefined;
  /** The conversation that the client keeps, sealed. */
  state: string | undefined;
  cacheControl: string | undefined;
  /** The client takes the answer in one piece. */
  isWhole: boolean;
  caller: PromptCaller;
  timings: TurnTimings;
  waitUntil: (work: Promise<unknown>) => void;
}

export type StatelessAnswer =
  /** Known whole: the fast path. */
  | { kind: 'known'; events: NumberedTurnEvent[] }
  | { kind: 'turn'; batches: AsyncGenerator<TurnBatch, void, void>; cancel: () => void };

/** Starts a turn in its Session object, and replies with the response of the turn's first reader. */
export type StartTurn = (command: TurnCommand) => Promise<Reply<Response>>;

export interface AnswerPrompt extends TurnAnswering {
  /** @throws AppError `content_filter`, `filter_unavailable`, and what the Session object refuses with */
  startSessionTurn(command: TurnCommand, caller: PromptCaller, startTurn: StartTurn): Promise<Response>;
  /** @throws AppError as `startSessionTurn` */
  answerStateless(prompt: StatelessPrompt): Promise<StatelessAnswer>;
  /** Steps 6 and 7 alone, for a call that several readers share. */
  openModel(call: TurnCall): ChatModel;
}
