/** Processor time of a function in milliseconds; unlike elapsed time, it does not grow on a busy machine. */
function cpuTimeMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** What a measurement may be off by, in milliseconds. */
const NOISE_MS = 10;

/**
 * How much longer `work` takes for four times the size: about 4 when its time is linear, 16 when it is quadratic. A ratio,
 * so that a slow machine and instrumented code say the same.
 */
export function growthByFour(work: (size: number) => void, size: number): number {
  // The first run compiles.
  work(size);
  const small = cpuTimeMs(() => work(size));
  const large = cpuTimeMs(() => work(4 * size));
  return (large + NOISE_MS) / (small + NOISE_MS);
}
