/** One child process of a local command. Owns its log file; logs of 10 MB are rotated once, at the start. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

export interface ChildOptions {
  name: string;
  command: string;
  args: string[];
  env: Record<string, string | undefined>;
  cwd: string;
  /** Receives standard output and standard error. */
  logFile: string;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process has ended, with how: `ended with code 1`. */
  readonly ended: Promise<string>;
  /** The last lines of its output since this start. */
  lastLogLines(): Promise<string>;
  /** Sends SIGTERM, and SIGKILL when the process has not ended `graceMs` later. */
  stop(graceMs: number): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

const MAX_LOG_BYTES = 10 * 1024 * 1024;
const LAST_LINES = 12;

export function startChild(options: ChildOptions): Child {
  const { name, command, args, cwd, logFile } = options;
  const startOffset = rotate(logFile);
  const log = openSync(logFile, 'a', 0o600);
  // A process group of its own: a Ctrl-C in the terminal reaches the parent alone, which stops its children in order.
  const process = spawn(command, args, {
    cwd,
    env: options.env,
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  const ended = describeEnd(process);
  return {
    name,
    get pid() {
      return process.pid ?? 0;
    },
    ended,
    async lastLogLines() {
      const text = (await readFile(logFile)).subarray(startOffset).toString('utf8');
      return text.trimEnd().split('\n').slice(-LAST_LINES).join('\n');
    },
    async stop(graceMs) {
      process.kill('SIGTERM');
      const timer = setTimeout(() => process.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(timer);
    },
    kill: (signal) => void process.kill(signal),
  };
}

async function describeEnd(process: ChildProcess): Promise<string> {
  try {
    const [code, signal] = await once(process, 'exit');
    return signal ? `was ended by ${signal}` : `ended with code ${code}`;
  } catch (error) {
    return `could not be started: ${(error as Error).message}`;
  }
}

/** Renames a large log file to `.1`. @returns the size of the log file now */
function rotate(path: string): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size < MAX_LOG_BYTES) return size;
  renameSync(path, `${path}.1`);
  return 0;
}
