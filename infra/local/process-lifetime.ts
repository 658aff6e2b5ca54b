/** When a long-running command ends, and what ends with it, however it ends. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const NPM_POLL_MS = 500;

/** Resolves at the first SIGINT, SIGTERM or SIGHUP, and when the npm that started this process was killed. */
export function stopRequest(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
    whenNpmIsKilled(resolve);
  });
}

/**
 * npm forwards signals, except SIGKILL, which it cannot catch. Without npm a changed parent means nothing: a shell that
 * started a service in the background may exit.
 */
export function whenNpmIsKilled(stop: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, NPM_POLL_MS);
  timer.unref();
}

export interface Reaper {
  /** This child is ended when the current process dies without a chance to do so. */
  watch(pid: number | undefined): void;
  /** All children have ended. */
  release(): void;
}

/** Starts a process that outlives this one for a moment, to end its children when it was killed; see `reaper.ts`. */
export function startReaper(): Reaper {
  const reaper = spawn(process.execPath, [join(import.meta.dirname, 'reaper.ts')], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  reaper.unref();
  return {
    watch(pid) {
      if (pid !== undefined) reaper.stdin.write(`${pid}\n`);
    },
    release() {
      reaper.stdin.end('done\n');
    },
  };
}
