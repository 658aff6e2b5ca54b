/** A name's targets as one model for one caller: which stand on which step, and in what order they are asked. */
import type { ChatModel } from '../../shared/model/chat-model.ts';
import { canServe, takesPlainText } from '../../shared/model/request-needs.ts';
import { type Rung, withFallback } from '../../shared/model/with-fallback.ts';
import type { Caller } from './caller.ts';
import type { TargetModel } from './target-model.ts';
import { loadTokenCounter } from './token-counter.ts';
import { type HedgeOptions, withHedge } from './with-hedge.ts';

/** A step of a ladder: targets with their weights. */
export type Step = readonly { target: TargetModel; weight: number }[];

export interface LadderOptions {
  name: string;
  steps: readonly Step[];
  /** Stands last; it needs nothing and never waits. */
  lastResort: ChatModel | undefined;
  /** How long a call waits for its turn at a target that another one stands behind, in milliseconds. */
  patienceMs: number;
  /** What all rungs but the last have together until the first token, in milliseconds. */
  firstTokenMs: number;
  hedge: HedgeOptions | undefined;
  now: () => number;
  random: () => number;
}

/** @throws Error when there is neither a step nor a last resort */
export function climbFor(caller: Caller, options: LadderOptions): ChatModel {
  const { name, steps, lastResort, patienceMs, firstTokenMs, hedge, now, random } = options;
  const targets = steps.flatMap((step) => drawOrder(step, random));
  // Offline work has time: it waits for a model, and a quotation is no use to it.
  const canWait = caller.priority === 'batch' && targets.length > 0;
  const rungs = targets.map((target, index): Rung => {
    const isLast = canWait || (!lastResort && index === targets.length - 1);
    const untilMs = isLast ? caller.deadlineMs : Math.min(caller.deadlineMs, now() + patienceMs);
    return {
      model: target.callFor(caller, untilMs),
      canServe: (request) => canServe(request, target.target, loadTokenCounter),
      continues: target.target.continues,
    };
  });
  const [first, second] = rungs;
  if (hedge && first && second) {
    const model = withHedge(first.model, second.model, hedge);
    // Both must be able, since either may answer.
    const either = async (request: Parameters<Rung['canServe']>[0]) =>
      (await first.canServe(request)) && (await second.canServe(request));
    rungs.unshift({ model, canServe: either, continues: undefined });
    rungs[1] = { ...first, canServe: async (request) => !(await either(request)) && first.canServe(request) };
  }
  if (lastResort && !canWait) rungs.push({ model: lastResort, canServe: takesPlainText });
  return withFallback(name, rungs, canWait ? undefined : firstTokenMs);
}

/** Drawn without replacement, each by its weight (Efraimidis and Spirakis, 2006). */
export function drawOrder(step: Step, random: () => number): TargetModel[] {
  return step
    .map(({ target, weight }) => ({ target, key: random() ** (1 / weight) }))
    .sort((one, other) => other.key - one.key)
    .map(({ target }) => target);
}
