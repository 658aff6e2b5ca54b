/**
 * Asks a second model when the first one is late with its first word, and takes whichever speaks first (Dean and
 * Barroso, "The Tail at Scale", 2013). The other one is cancelled. A small part of all calls may do so.
 */
import {
  type ChatEvent,
  type ChatModel,
  type ChatStreamReader,
  isTerminal,
} from '../../shared/model/chat-model.ts';
import { eventStream } from '../../shared/stream/event-stream.ts';

/** Most calls that may ask a second model, as a part of all. */
export const MAX_HEDGED_SHARE = 0.02;

/** Counts calls and hedges. One for all models. */
export interface HedgeBudget {
  /** A call that could be hedged. */
  count(): void;
  /** @returns whether one more may be; it then counts as hedged */
  spend(): boolean;
}

export function createHedgeBudget(share: number = MAX_HEDGED_SHARE): HedgeBudget {
  /** Grows by `share` with each call, and falls by one with each hedge; a quiet hour saves up no more than a few. */
  const most = 10;
  let saved = 0;
  return {
    count() {
      saved = Math.min(most, saved + share);
    },
    spend() {
      // Fractions add up to a little less than they should.
      if (saved < 1 - 1e-9) return false;
      saved--;
      return true;
    },
  };
}

export interface HedgeOptions {
  /** How late a first word is late, in milliseconds. */
  afterMs: number;
  budget: HedgeBudget;
  /** Resolves after that many milliseconds, or when the signal is aborted. */
  wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** What one of the two has said until its first word. */
interface Opening {
  held: ChatEvent[];
  events: ChatStreamReader;
  call: AbortController;
  hasFailed: boolean;
}

export function withHedge(first: ChatModel, second: ChatModel, options: HedgeOptions): ChatModel {
  const { afterMs, budget, wait } = options;
  return {
    name: first.name,
    stream: (request, signal) =>
      eventStream(signal, async function* (inner) {
        budget.count();
        const calls: AbortController[] = [];
        const open = (model: ChatModel): Promise<Opening> => {
          const call = new AbortController();
          calls.push(call);
          return untilFirstWord(
            model.stream(request, AbortSignal.any([inner, call.signal])).getReader(),
            call,
          );
        };
        const timer = new AbortController();
        const one = open(first);
        const late = wait(afterMs, AbortSignal.any([inner, timer.signal])).then(() => undefined);
        try {
          let chosen = await Promise.race([one, late]);
          timer.abort();
          if (!chosen && (inner.aborted || !budget.spend())) chosen = await one;
          chosen ??= await firstGood(one, open(second));
          for (const call of calls) if (call !== chosen.call) call.abort();
          yield* relay(chosen);
        } finally {
          timer.abort();
          for (const call of calls) call.abort();
        }
      }),
  };
}

async function untilFirstWord(events: ChatStreamReader, call: AbortController): Promise<Opening> {
  const held: ChatEvent[] = [];
  for (;;) {
    const { value } = await events.read();
    if (value) held.push(value);
    if (!value || isTerminal(value) || value.type.endsWith('-delta'))
      return { held, events, call, hasFailed: value?.type === 'error' };
  }
}

/** The first that speaks; when one fails, the other, whatever it says. */
async function firstGood(one: Promise<Opening>, other: Promise<Opening>): Promise<Opening> {
  const winner = await Promise.race([one, other]);
  if (!winner.hasFailed) return winner;
  const [first, second] = await Promise.all([one, other]);
  return winner === first ? second : first;
}

async function* relay({ held, events }: Opening): AsyncGenerator<ChatEvent, void, void> {
  yield* held;
  const last = held.at(-1);
  if (last && isTerminal(last)) return;
  for (;;) {
    const { value, done } = await events.read();
    if (done) return;
    yield value;
  }
}
