/** Several rankings made one: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion", SIGIR 2009; k = 60 as there. */
const K = 60;

/** @param rankings Names, best first, each at most once in a ranking. @returns all of them, best first */
export function fuseRankings<T>(rankings: readonly (readonly T[])[]): { item: T; score: number }[] {
  const scores = new Map<T, number>();
  for (const ranking of rankings) {
    for (const [place, item] of ranking.entries())
      scores.set(item, (scores.get(item) ?? 0) + 1 / (K + place + 1));
  }
  return [...scores].map(([item, score]) => ({ item, score })).sort((one, other) => other.score - one.score);
}
