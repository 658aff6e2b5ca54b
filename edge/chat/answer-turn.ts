/**
 * The way of a prompt, top to bottom: context, route, cache, model, filter, and after the last byte the history.
 * Knows no wire and no store: with a conversation it is a session's turn, without one it is stateless.
 */

import { AppError, type ErrorInfo } from '../../shared/errors.ts';
import type { ChatEvent, ChatModel, ChatRequest, ChatStream } from '../../shared/model/chat-model.ts';
import { eventBatches } from '../../shared/stream/event-stream.ts';
import type { ContextReceipt, NumberedTurnEvent, TurnEvent } from '../../shared/turn/turn-events.ts';
import { TurnExpander } from '../../shared/turn/turn-expander.ts';
import { emptyTurnResult, foldTurnEvent, type TurnResult } from '../../shared/turn/turn-result.ts';
import type { EndedTurnFacts } from '../observe/record-turn.ts';
import { skipEvents } from '../plugins/skip-events.ts';
import { chooseModel, type ModelChoice } from './choose-model.ts';
import type { TurnPlugins } from './turn-plugins.ts';
import type { TurnTimings } from './turn-timings.ts';

/** One conversation, as much of it as a turn needs. */
export interface TurnConversation {
  /** Reads the history's tail. */
  load(): Promise<{ rounds: number }>;
  /** Fits history and the new messages into the model's window. @throws AppError `context_length_exceeded` */
  fit(choice: ModelChoice): Promise<ChatRequest>;
  /** Stores the new messages. @throws AppError when the store cannot be reached or has moved on */
  keepQuestion(): Promise<void>;
  /** What of the conversation went to the model. Called with the answer, since counting may take a while. */
  receipt(result: TurnResult): Promise<ContextReceipt>;
  /** Reads the conversation again as it was when this turn's question had been kept. */
  reload(choice: ModelChoice): Promise<ChatRequest>;
  /** Stores what was answered. Called once, after the turn's end. */
  keepAnswer(result: TurnResult): Promise<void>;
}

/** Where in a model's answer to begin. */
export interface ModelPlace {
  /** The number of the first event to read. */
  from: number;
  /** False: the call was made before a restart, and is taken up again. */
  isNew: boolean;
}

export const newCall: ModelPlace = { from: 0, isNew: true };

export interface TurnModels {
  lightModel: string | undefined;
  /** The model that answers for a choice. */
  open(choice: ModelChoice, place: ModelPlace): ChatModel;
}

/** Puts what was answered before in front of a model. */
export type WithCache = (
  model: ChatModel,
  asked: { choice: ModelChoice; earlierRounds: number },
) => ChatModel;

export interface TurnPlan {
  turnId: string;
  request: ChatRequest;
  conversation?: TurnConversation;
  /** Where it is made already, which only a conversation could change. */
  choice?: ModelChoice | undefined;
  models: TurnModels;
  withCache?: WithCache | undefined;
  plugins: Pick<TurnPlugins, 'onAnswer' | 'changesAnswers'>;
  timings: TurnTimings;
  /** Aborted when nobody waits for the answer any more, or when its time is up. Ends the model call. */
  signal: AbortSignal;
  /** Aborted, besides `signal`, when somebody stops the turn: it ends as cancelled, with what was said kept. */
  stop?: AbortSignal;
  /** Unix time in milliseconds. */
  now: () => number;
  /** Told once, right before the model is asked, which waits for it. */
  onAsk?: (asked: AskedModel) => void | Promise<void>;
  /** Told once that a model was asked, when it has said all or nobody listens any more. */
  onEnd?: (facts: EndedTurnFacts) => void;
}

/** What a turn that is cut off needs to go on, besides its plan. */
export interface AskedModel {
  choice: ModelChoice;
  /** Unix time in seconds. */
  createdAt: number;
}

/** Events of a turn that belong together: what some events of the model, which came together, came to. */
export interface TurnBatch {
  events: NumberedTurnEvent[];
  /** How many of the model's events are in by now: where to go on after a restart. */
  modelEvents: number;
}

/**
 * @throws AppError from the steps before the model is asked; afterwards every failure is an event
 */
export async function* answerTurn(plan: TurnPlan): AsyncGenerator<TurnBatch, void, void> {
  const { conversation, models, timings, now, turnId } = plan;
  const startMs = now();
  const earlierRounds = conversation ? (await conversation.load()).rounds : 0;
  const loadedMs = now();
  const choice = plan.choice ?? chooseModel(plan.request, { lightModel: models.lightModel, earlierRounds });
  const routeMs = now() - loadedMs;
  const fitted = await conversation?.fit(choice);
  await conversation?.keepQuestion();
  const askedMs = now();
  timings.routeMs ??= routeMs;
  if (conversation) timings.contextMs = askedMs - startMs - routeMs;

  const request = { ...(fitted ?? plan.request), model: choice.model };
  const asked = { choice, createdAt: Math.floor(startMs / 1000) };
  await plan.onAsk?.(asked);
  const expander = new TurnExpander({ turnId, route: choice.route, createdAt: asked.createdAt });
  const model = models.open(choice, newCall);
  const cached = plan.withCache?.(model, { choice, earlierRounds }) ?? model;
  const events = plan.plugins.onAnswer(cached).stream(request, plan.signal);
  yield* relayModel(plan, { events, expander, askedMs, modelEvents: 0, seq: 0, result: emptyTurnResult() });
}

/** Goes on with a turn that was cut off after its model was asked: `events` are those that are logged. */
export async function* resumeTurn(
  plan: TurnPlan,
  { choice, createdAt }: AskedModel,
  logged: { events: TurnEvent[]; modelEvents: number },
): AsyncGenerator<TurnBatch, void, void> {
  const { turnId, conversation, now } = plan;
  const request = { ...((await conversation?.reload(choice)) ?? plan.request), model: choice.model };
  const expander = TurnExpander.restore({ turnId, createdAt, route: choice.route }, logged.events);
  const result = emptyTurnResult();
  for (const event of logged.events) foldTurnEvent(result, event);
  const { modelEvents } = logged;
  const events = takenUp(plan, choice, modelEvents).stream(request, plan.signal);
  yield* relayModel(plan, {
    events,
    expander,
    askedMs: now(),
    modelEvents,
    seq: logged.events.length,
    result,
  });
}

/** The rest of an answer of which that many events are known. */
function takenUp({ models, plugins }: TurnPlan, choice: ModelChoice, known: number): ChatModel {
  const isNew = known === 0;
  // What plugins held back went down with them: they hear the answer again from its beginning.
  if (plugins.changesAnswers && choice.route.place === 'core')
    return skipEvents(plugins.onAnswer(models.open(choice, { from: 0, isNew })), known);
  return models.open(choice, { from: known, isNew });
}

interface ModelRelay {
  events: ChatStream;
  expander: TurnExpander;
  /** Unix time in milliseconds. */
  askedMs: number;
  /** How many of the model's events are in. */
  modelEvents: number;
  /** The number of the turn's next event. */
  seq: number;
  /** What the turn came to so far. */
  result: TurnResult;
  /** Of the model that answers, once one does. */
  provider?: string;
}

/** Passes a model's events on as the turn's, and keeps the answer once the last one is out. */
async function* relayModel(plan: TurnPlan, relay: ModelRelay): AsyncGenerator<TurnBatch, void, void> {
  const { conversation, signal, timings, turnId, now, onEnd } = plan;
  let abortedAtMs: number | undefined;
  const noteAbort = () => {
    abortedAtMs = now();
  };
  signal.addEventListener('abort', noteAbort, { once: true });
  try {
    for await (const batch of eventBatches(relay.events)) {
      const events = toTurnEvents(plan, relay, batch);
      const last = events.at(-1)?.event;
      if (conversation && last?.type === 'turn-end') {
        last.receipt = await conversation.receipt(relay.result);
        relay.result.receipt = last.receipt;
      }
      if (events.length > 0) yield { events, modelEvents: relay.modelEvents };
    }
  } finally {
    signal.removeEventListener('abort', noteAbort);
    onEnd?.({
      turnId,
      result: relay.result,
      provider: relay.provider,
      firstTokenMs: timings.firstTokenMs,
      durationMs: now() - relay.askedMs,
      abortMs: abortedAtMs === undefined ? undefined : now() - abortedAtMs,
    });
  }
  await conversation?.keepAnswer(relay.result);
}

/** What events of the model, which came together, come to. */
function toTurnEvents(plan: TurnPlan, relay: ModelRelay, batch: readonly ChatEvent[]): NumberedTurnEvent[] {
  const { timings, now } = plan;
  const { expander, askedMs, result } = relay;
  const events: NumberedTurnEvent[] = [];
  for (const event of batch) {
    relay.modelEvents++;
    if (event.type === 'model-start') {
      timings.modelMs = now() - askedMs;
      relay.provider = event.provider;
    } else timings.firstTokenMs ??= now() - askedMs;
    for (const turnEvent of expand(expander, event, plan)) {
      foldTurnEvent(result, turnEvent);
      events.push({ seq: relay.seq++, event: turnEvent });
    }
  }
  return events;
}

/** A model that was aborted says `cancelled`; what that means depends on who aborted it. */
function expand(expander: TurnExpander, event: ChatEvent, { signal, stop }: TurnPlan): TurnEvent[] {
  if (event.type !== 'error' || event.error.code !== 'cancelled' || !signal.aborted)
    return expander.push(event);
  return stop?.aborted ? expander.cancel() : expander.fail(deadlineExceeded);
}

const deadlineExceeded: ErrorInfo = new AppError('deadline_exceeded').toInfo();
