/**
 * Decides whether a cached answer may be served for a differently worded question: the rule of vCache
 * (arXiv:2502.03771), per entry, on pairs of similarity and correctness.
 *
 * The chance that the entry's answer is right for a question at similarity `s` is modeled as a logistic curve
 * 1 / (1 + exp(-gamma * (s - t))). vCache fits one curve and widens it by a confidence term; this keeps the whole
 * posterior over a grid of curves, so that few observations need no special case. The answer is served when the
 * posterior chance of an error is at most `delta`. Some curves are flat, for an entry whose correctness does not depend on
 * similarity.
 *
 * The bound assumes that the curve has that form and rises with similarity; that the distribution of an entry's questions
 * is stable (an audit sends some of them to the model, so that a change is noticed); and that the judge is right, or that
 * its mistakes count as the entry's. It limits the expected share of wrong answers among the served ones, not each answer.
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
  /** Fewest observations before an answer is served. */
  minObservations?: number;
}

export const USUAL_DELTA = 0.02;
const MIN_OBSERVATIONS = 5;

/** The similarity at which a curve crosses one half; beyond 1, it never does. */
const thresholds = [
  -2, -1, -0.5, 0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.2, 1.5, 2,
];
/** The steepness of a curve. */
const slopes = [0.5, 1, 2, 4, 8, 16, 32, 64];
const curves = thresholds.flatMap((threshold) => slopes.map((slope) => ({ threshold, slope })));

/** The observations of one entry. Owns its posterior; both methods take constant time. */
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

  /** Whether the entry's answer may be served. */
  mayAnswer(similarity: number, { delta, minObservations = MIN_OBSERVATIONS }: ErrorBoundOptions): boolean {
    return this.#count >= minObservations && this.errorChance(similarity) <= delta;
  }
}

/** Never 0 or 1, so that no single observation excludes a curve. */
function chanceRight({ threshold, slope }: { threshold: number; slope: number }, similarity: number): number {
  const chance = 1 / (1 + Math.exp(-slope * (similarity - threshold)));
  return Math.min(1 - 1e-4, Math.max(1e-4, chance));
}
