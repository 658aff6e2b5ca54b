/** One turn as steps 3 to 10 of `answer-prompt.ts` take it, and the events that its model's events make (step 9). */
import { AppError, type ErrorInfo } from '../../shared/errors.ts';
import type { ChatEvent, ChatModel, ChatRequest, ChatStream } from '../../shared/model/chat-model.ts';
import type { NumberedTurnEvent, TurnEvent } from '../../shared/turn/turn-events.ts';
import type { TurnExpander } from '../../shared/turn/turn-expander.ts';
import { foldTurnEvent, type TurnResult } from '../../shared/turn/turn-result.ts';
import type { WithCache } from '../cache/answer-cache.ts';
import type { ModelChoice, ModelPlace } from '../models/model-choice.ts';
import type { EndedTurnFacts } from '../observe/record-turn.ts';
import type { TurnTimings } from '../observe/turn-timings.ts';
import type { AskedModel, TurnConversation } from '../session/turn-answering.ts';
import type { TurnPlugins } from './turn-plugins.ts';

export interface TurnPlan {
  turnId: string;
  request: ChatRequest;
  conversation?: TurnConversation | undefined;
  /** Where it is made already, which only a conversation could change. */
  choice?: ModelChoice | undefined;
  models: {
    lightModel: string | undefined;
    /** Steps 6 and 7. */
    open(choice: ModelChoice, place: ModelPlace): ChatModel;
  };
  withCache?: WithCache | undefined;
  plugins: Pick<TurnPlugins, 'onAnswer' | 'changesAnswers'>;
  timings: TurnTimings;
  /** Aborted when no client waits for the answer any more, or when its time is up. Ends the model call. */
  signal: AbortSignal;
  /** Aborted, besides `signal`, when somebody stops the turn: it ends as cancelled, with its text kept. */
  stop?: AbortSignal;
  /** Unix time in milliseconds. */
  now: () => number;
  /** Called once, right before the model is asked, which waits for it. */
  onAsk?: (asked: AskedModel) => void | Promise<void>;
  /** Called once that a model was asked, after its last event or when the client disconnected. */
  onEnd?: (facts: EndedTurnFacts) => void;
}

export interface ModelRelay {
  events: ChatStream;
  expander: TurnExpander;
  /** Unix time in milliseconds. */
  askedMs: number;
  /** How many of the model's events have arrived. */
  modelEvents: number;
  /** The number of the turn's next event. */
  seq: number;
  /** The turn's result so far. */
  result: TurnResult;
  /** Of the model that answers, once one does. */
  provider?: string;
}

/** The turn's events that a batch of the model's events makes. */
export function toTurnEvents(
  plan: TurnPlan,
  relay: ModelRelay,
  batch: readonly ChatEvent[],
): NumberedTurnEvent[] {
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

/** A model that was aborted ends with `cancelled`; what that means depends on who aborted it. */
function expand(expander: TurnExpander, event: ChatEvent, { signal, stop }: TurnPlan): TurnEvent[] {
  if (event.type !== 'error' || event.error.code !== 'cancelled' || !signal.aborted)
    return expander.push(event);
  return stop?.aborted ? expander.cancel() : expander.fail(deadlineExceeded);
}

const deadlineExceeded: ErrorInfo = new AppError('deadline_exceeded').toInfo();
