/**
 * The fast path: a stateless question whose answer this isolate holds. These are the steps of `answer-prompt.ts` that are
 * left when no model is asked and nothing is waited for: route (4), cache (5), filter out (8), events (9). Whatever does
 * not fit takes the whole path, with the same result. `infra/bench/rows/cached-answers.ts` measures what it saves.
 */
import type { CacheMark, ChatEvent, ChatRequest } from '../../shared/model/chat-model.ts';
import type { NumberedTurnEvent } from '../../shared/turn/turn-events.ts';
import { TurnExpander } from '../../shared/turn/turn-expander.ts';
import { emptyTurnResult, type TurnResult } from '../../shared/turn/turn-result.ts';
import type { LocalAnswer } from '../cache/answer-cache.ts';
import type { CachedAnswer } from '../cache/cached-answer.ts';
import type { ModelChoice } from '../models/model-choice.ts';
import type { TurnTimings } from '../observe/turn-timings.ts';
import { chooseModel } from './choose-model.ts';
import type { TurnPlugins } from './turn-plugins.ts';

export interface FastPath {
  turnId: string;
  request: ChatRequest;
  lightModel: string | undefined;
  find: (choice: ModelChoice) => Promise<LocalAnswer | undefined>;
  plugins: Pick<TurnPlugins, 'onKnownAnswer'>;
  timings: TurnTimings;
  /** Unix time in milliseconds. */
  now: () => number;
  /** Called with an answer that goes out; the turn's result is made only when it is asked for. */
  onEnd: (answer: CachedAnswer, result: () => TurnResult) => void;
}

export interface FastAnswer {
  choice: ModelChoice;
  /** Of the whole turn; none where it must take the whole path. */
  events?: NumberedTurnEvent[];
}

export async function answerAtOnce(path: FastPath): Promise<FastAnswer> {
  const { turnId, request, lightModel, find, plugins, timings, now, onEnd } = path;
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
    const marked = event.type === 'model-start' ? { ...event, cache } : event;
    for (const turnEvent of expander.push(marked)) numbered.push({ seq: numbered.length, event: turnEvent });
  }
  return numbered;
}

/** For usage and metrics: without the text. */
function toResult(
  { model, usage }: CachedAnswer,
  turn: Pick<TurnResult, 'turnId' | 'createdAt' | 'route' | 'cache'>,
): TurnResult {
  return { ...emptyTurnResult(), ...turn, model, status: 'completed', ...(usage && { usage }) };
}
