/**
 * The short way of a question whose answer this isolate holds: the steps of `answer-turn.ts` that are left when no
 * model is asked and nothing is waited for. Whatever does not fit takes the long way, and comes out the same.
 */
import type { CacheMark, ChatEvent, ChatRequest } from '../../shared/model/chat-model.ts';
import type { NumberedTurnEvent } from '../../shared/turn/turn-events.ts';
import { TurnExpander } from '../../shared/turn/turn-expander.ts';
import { emptyTurnResult, type TurnResult } from '../../shared/turn/turn-result.ts';
import type { CachedAnswer } from '../cache/cached-answer.ts';
import { chooseModel, type ModelChoice } from './choose-model.ts';
import type { TurnPlugins } from './turn-plugins.ts';
import type { TurnTimings } from './turn-timings.ts';

/** An answer near at hand, and what its reader is told of the cache. */
export interface KnownAnswer {
  answer: CachedAnswer;
  mark: CacheMark;
}

export interface AtOncePlan {
  turnId: string;
  request: ChatRequest;
  lightModel: string | undefined;
  find: (choice: ModelChoice) => Promise<KnownAnswer | undefined>;
  plugins: Pick<TurnPlugins, 'onKnownAnswer'>;
  timings: TurnTimings;
  /** Unix time in milliseconds. */
  now: () => number;
  /** Told of an answer that goes out; what the turn came to is made when it is asked for. */
  onEnd: (answer: CachedAnswer, result: () => TurnResult) => void;
}

export interface AtOnce {
  choice: ModelChoice;
  /** The whole turn's; none where it must be answered the long way. */
  events?: NumberedTurnEvent[];
}

export async function answerAtOnce(plan: AtOncePlan): Promise<AtOnce> {
  const { turnId, request, lightModel, find, plugins, timings, now, onEnd } = plan;
  const startMs = now();
  const choice = chooseModel(request, { lightModel, earlierRounds: 0 });
  timings.routeMs = now() - startMs;
  const known = await find(choice);
  const events = known && (await plugins.onKnownAnswer(known.answer));
  if (!events) return { choice };
  timings.firstTokenMs = now() - startMs;
  const createdAt = Math.floor(startMs / 1000);
  const expander = new TurnExpander({ turnId, route: choice.route, createdAt });
  const numbered = expand(events, known.mark, expander);
  const { answer, mark } = known;
  onEnd(answer, () => toResult(answer, { turnId, createdAt, route: choice.route, cache: mark }));
  return { choice, events: numbered };
}

function expand(events: readonly ChatEvent[], cache: CacheMark, expander: TurnExpander): NumberedTurnEvent[] {
  const numbered: NumberedTurnEvent[] = [];
  for (const event of events) {
    const told = event.type === 'model-start' ? { ...event, cache } : event;
    for (const turnEvent of expander.push(told)) numbered.push({ seq: numbered.length, event: turnEvent });
  }
  return numbered;
}

/** For the books: without what was said. */
function toResult(
  { model, usage }: CachedAnswer,
  turn: Pick<TurnResult, 'turnId' | 'createdAt' | 'route' | 'cache'>,
): TurnResult {
  return { ...emptyTurnResult(), ...turn, model, status: 'completed', ...(usage && { usage }) };
}
