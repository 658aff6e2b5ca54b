/** When a long-running command ends, and what ends with it, however it ends. */
import { execFileSync, spawn } from 'node:child_process';
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
 * npm forwards signals, except SIGKILL, which it cannot catch: this polls whether npm still runs. Without npm no parent is
 * watched, since a shell that started a service in the background may exit.
 */
export function whenNpmIsKilled(stop: () => void): void {
  const npm = process.env.npm_lifecycle_event === undefined ? undefined : findNpm();
  if (npm === undefined) return;
  const timer = setInterval(() => {
    if (npm !== 'gone' && isRunning(npm)) return;
    clearInterval(timer);
    stop();
  }, NPM_POLL_MS);
  timer.unref();
}

/**
 * npm runs a script in a shell, which may or may not replace itself by the program: npm is the parent or the grandparent.
 * @returns `gone` when npm was killed before this call, so that process 1 adopted its child
 */
function findNpm(): number | 'gone' | undefined {
  try {
    let pid = process.ppid;
    for (let level = 0; level < 2; level++) {
      const columns = ['-o', 'ppid=,comm=', '-p', String(pid)];
      const line = execFileSync('ps', columns, { encoding: 'utf8' });
      const [, parent, name = ''] = /^\s*(\d+)\s+(.+)/.exec(line) ?? [];
      if (/^(?:.*\/)?(?:npm|pnpm|yarn|bun|node)/.test(name)) return pid;
      if (pid === 1) return 'gone';
      pid = Number(parent);
    }
  } catch {
    // This machine has no `ps`: after a SIGKILL of npm the command keeps running.
  }
  return undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
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
