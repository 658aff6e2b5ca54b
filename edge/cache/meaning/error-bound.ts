/**
 * When a cached answer may be given for a question that is worded differently: the rule of vCache
 * (arXiv:2502.03771), per entry, on pairs of (similarity, was it right).
 *
 * The chance that the entry's answer is right for a question at similarity `s` is taken to be a logistic curve
 * 1 / (1 + exp(-gamma * (s - t))). Where vCache fits one curve and widens it by a confidence term, this keeps the
 * whole posterior over a grid of curves, so that few observations need no special case: the answer is given when
 * the posterior chance of an error is at most `delta`. Among the curves are flat ones, for an entry whose
 * similarity says nothing.
 *
 * What the bound assumes: that the curve is of that form and rises with similarity; that the questions of an entry
 * come as they came before (an entry that is given is still asked again once in a while, so that a change is
 * seen); that the judge is right, or at least that its mistakes count as the entry's. The bound is on the expected
 * share of wrong answers among those given, not on each of them.
 */

/** One judged question of an entry. */
export interface Observation {
  /** In [0, 1]. */
  similarity: number;
  wasRight: boolean;
}

export interface ErrorBoundOptions {
  /** Largest expected share of wrong answers, in (0, 1). */
  delta: number;
  /** Fewest observations before an answer is given. */
  minObservations?: number;
}

export const USUAL_DELTA = 0.02;
const MIN_OBSERVATIONS = 5;

/** Where the curve crosses one half; beyond 1, similarity alone never does. */
const thresholds = [
  -2, -1, -0.5, 0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.2, 1.5, 2,
];
/** How steep it is. */
const slopes = [0.5, 1, 2, 4, 8, 16, 32, 64];
const curves = thresholds.flatMap((threshold) => slopes.map((slope) => ({ threshold, slope })));

/** What is known of one entry. Owns its posterior; adding to it and asking it cost the same however much is known. */
export class Evidence {
  /** Log-likelihood of each curve. */
  readonly #weights: number[] = curves.map(() => 0);
  #count = 0;

  constructor(observations: readonly Observation[] = []) {
    for (const observation of observations) this.add(observation);
  }

  add({ similarity, wasRight }: Observation): void {
    this.#count++;
    curves.forEach((curve, index) => {
      const right = chanceRight(curve, similarity);
      this.#weights[index] = (this.#weights[index] as number) + Math.log(wasRight ? right : 1 - right);
    });
  }

  /** The chance that the entry's answer is wrong for a question at that similarity. */
  errorChance(similarity: number): number {
    const most = Math.max(...this.#weights);
    let all = 0;
    let wrong = 0;
    curves.forEach((curve, index) => {
      const weight = Math.exp((this.#weights[index] as number) - most);
      all += weight;
      wrong += weight * (1 - chanceRight(curve, similarity));
    });
    return wrong / all;
  }

  /** Whether the entry's answer may be given. */
  mayAnswer(similarity: number, { delta, minObservations = MIN_OBSERVATIONS }: ErrorBoundOptions): boolean {
    return this.#count >= minObservations && this.errorChance(similarity) <= delta;
  }
}

/** Kept off 0 and 1, so that no single observation rules a curve out. */
function chanceRight({ threshold, slope }: { threshold: number; slope: number }, similarity: number): number {
  const chance = 1 / (1 + Math.exp(-slope * (similarity - threshold)));
  return Math.min(1 - 1e-4, Math.max(1e-4, chance));
}
