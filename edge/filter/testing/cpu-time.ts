/** Processor time of a function in milliseconds; unlike elapsed time, it does not grow on a busy machine. */
export function cpuTimeMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
