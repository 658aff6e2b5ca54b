/**
 * Ends the processes whose ids it reads from standard input, once that closes: nothing keeps running when the command
 * that started them was killed (SIGKILL). See `process-lifetime.ts`.
 */
import { createInterface } from 'node:readline';

/** A process that has not ended this long after SIGTERM gets SIGKILL. */
const GRACE_MS = 3000;
const POLL_MS = 100;

const pids = new Set<number>();
for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line);
  if (pid > 0) pids.add(pid);
  // The children were stopped in order: nothing is left to do.
  if (line === 'done') pids.clear();
}
for (const pid of pids) send(pid, 'SIGTERM');
for (const endMs = Date.now() + GRACE_MS; pids.size > 0 && Date.now() < endMs; ) {
  await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  for (const pid of pids) send(pid, 0);
}
for (const pid of pids) send(pid, 'SIGKILL');

/** Signal 0 only asks whether the process is there. */
function send(pid: number, signal: 'SIGTERM' | 'SIGKILL' | 0): void {
  try {
    process.kill(pid, signal);
  } catch {
    pids.delete(pid);
  }
}
