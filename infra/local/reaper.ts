/**
 * Ends the processes whose ids it was given on standard input, once that closes: so that nothing lives on
 * when whoever started them was killed without a chance to stop them.
 */
import { createInterface } from 'node:readline';

const pids = new Set<number>();
for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line);
  if (pid > 0) pids.add(pid);
  // Stopped in order: nothing is left to do.
  if (line === 'done') pids.clear();
}
for (const pid of pids) {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It has ended by itself.
  }
}
