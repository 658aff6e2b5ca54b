/**
 * Asks a second model when the first one is late with its first word, and takes whichever speaks first (Dean and
 * Barroso, "The Tail at Scale", 2013). The other one is cancelled. A small part of all calls may do so.
 */
import { type ChatEvent, type ChatModel, isTerminal } from '../../shared/model/chat-model.ts';
import type { InnerBatches } from '../../shared/model/event-stream.ts';
import { layer } from '../../shared/model/layer.ts';
import {
  type LinkedAbortController,
  linkedAbortController,
} from '../../shared/stream/linked-abort-controller.ts';

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
  batches: InnerBatches;
  call: LinkedAbortController;
  hasFailed: boolean;
}

export function withHedge(first: ChatModel, second: ChatModel, options: HedgeOptions): ChatModel {
  const { afterMs, budget, wait } = options;
  return layer(first, async function* ({ request, read, leaving }) {
    budget.count();
    const calls: LinkedAbortController[] = [];
    const open = (model: ChatModel): Promise<Opening> => {
      const call = linkedAbortController(leaving);
      calls.push(call);
      return untilFirstWord(read(model.stream(request, call.signal)), call);
    };
    const timer = linkedAbortController(leaving);
    const one = open(first);
    const late = wait(afterMs, timer.signal).then(() => undefined);
    try {
      let chosen = await Promise.race([one, late]);
      timer.abort();
      if (!chosen && (leaving.aborted || !budget.spend())) chosen = await one;
      chosen ??= await firstGood(one, open(second));
      for (const call of calls) if (call !== chosen.call) call.abort();
      yield chosen.held;
      const last = chosen.held.at(-1);
      if (!last || !isTerminal(last)) yield* chosen.batches;
    } finally {
      for (const call of [timer, ...calls]) {
        call.abort();
        call.unfollow();
      }
    }
  });
}

async function untilFirstWord(batches: InnerBatches, call: LinkedAbortController): Promise<Opening> {
  const held: ChatEvent[] = [];
  for (;;) {
    const { value = [] } = await batches.next();
    held.push(...value);
    const last = held.at(-1);
    const isOver = value.length === 0 || (last !== undefined && isTerminal(last));
    if (isOver || value.some(({ type }) => type.endsWith('-delta')))
      return { held, batches, call, hasFailed: isOver && last?.type !== 'turn-end' };
  }
}

/** The first that speaks; when one fails, the other, whatever it says. */
async function firstGood(one: Promise<Opening>, other: Promise<Opening>): Promise<Opening> {
  const winner = await Promise.race([one, other]);
  if (!winner.hasFailed) return winner;
  const [first, second] = await Promise.all([one, other]);
  return winner === first ? second : first;
}
