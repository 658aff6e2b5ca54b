/** Milliseconds of processor time that a work takes: unlike a clock's, they do not grow when the machine is busy. */
export function cpuTimeMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
